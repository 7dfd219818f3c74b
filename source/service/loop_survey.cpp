#include "service/loop_survey.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace causeway::service {

loop_survey::loop_survey(asio::io_context& io, std::list<event_loop>& loops)
    : io_(io)
{
    for (auto& loop : loops)
        loops_.push_back({.loop = &loop, .figures = loop.figures()});
}

awaitable<admin::report> loop_survey::take(steady_timer& timer)
{
    const auto call = ++calls_;
    std::ranges::for_each(loops_, [this, call](state& loop) { ask(loop, call); });
    if (!all_answered(call)) {
        waiter waiting(timer, call);
        waiters_.push_back(waiting);
        timer.expires_after(time_to_answer);
        co_await timer.async_wait(as_result);
    }
    co_return sum_up(call);
}

// A loop that still owes an answer is not asked again: however often it is surveyed, at most one question waits there.
void loop_survey::ask(state& asked, std::uint64_t call)
{
    if (!asked.runs || asked.owes_an_answer)
        return;
    asked.owes_an_answer = true;
    asked.asked_in = call;
    asked.loop->report(asked.answer,
                       [this, &asked] { asio::post(io_, [this, &asked] { answered(asked, asked.answer); }); });
}

void loop_survey::answered(state& asked, const admin::loop_figures& figures)
{
    asked.owes_an_answer = false;
    asked.figures = figures;
    for (auto& waiting : waiters_)
        if (all_answered(waiting.call))
            waiting.timer.cancel();
}

void loop_survey::ended(const event_loop& loop)
{
    asio::post(io_, [this, &loop, figures = loop.figures()] {
        auto& ended = *std::ranges::find(loops_, &loop, &state::loop);
        ended.runs = false;
        answered(ended, figures);
    });
}

// A loop that was asked by a later call has answered this one: before it is asked again, it has to answer. A later call
// may come between the last answer and the end of this call's wait.
bool loop_survey::owes(const state& loop, std::uint64_t call) { return loop.owes_an_answer && loop.asked_in <= call; }

bool loop_survey::all_answered(std::uint64_t call) const
{
    return std::ranges::none_of(loops_, [call](const state& loop) { return owes(loop, call); });
}

admin::report loop_survey::sum_up(std::uint64_t call) const
{
    admin::report report;
    report.loops = loops_.size();
    report.time_to_answer = time_to_answer;
    for (const auto& loop : loops_) {
        report.sum += loop.figures;
        report.loops_responding += owes(loop, call) ? 0 : 1;
        report.loops_with_an_upstream += loop.figures.upstream.has_upstream() ? 1 : 0;
    }
    return report;
}

} // namespace causeway::service

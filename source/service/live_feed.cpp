#include "service/live_feed.hpp"

#include "net/rethrow.hpp"
#include "service/ask_over_http.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <fmt/format.h>

#include <utility>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

// The process answers in its own time, which is bounded. This is for one that has stopped to.
constexpr auto longest_question = 1min;

} // namespace

live_feed::watcher::~watcher()
{
    unlink();
    feed_.ended();
}

awaitable<std::string> live_feed::watcher::next(steady_timer& deadline)
{
    if (untold_.empty()) {
        waits_until_ = &deadline;
        deadline.expires_at(clock::time_point::max());
        co_await deadline.async_wait(as_result);
        waits_until_ = nullptr;
    }
    co_return std::exchange(untold_, {});
}

void live_feed::watcher::tell(std::string_view events)
{
    is_new_ = false;
    untold_ += events;
    if (waits_until_ != nullptr)
        waits_until_->cancel();
}

live_feed::live_feed(asio::io_context& io, std::list<event_loop>& loops, const admin::facts& facts,
                     admin::pages::look look_at_process, std::optional<tcp::endpoint> listener)
    : io_(io)
    , loops_(loops)
    , writer_(facts, clock::now())
    , look_at_process_(std::move(look_at_process))
    , listener_(std::move(listener))
    , timer_(io)
    , notes_(loops.size())
{
}

std::unique_ptr<http::body_source> live_feed::watch()
{
    if (watchers_.size() == most_watchers)
        return nullptr;
    auto added = std::make_unique<watcher>(*this);
    watchers_.push_back(*added);
    if (!std::exchange(runs_, true))
        asio::co_spawn(io_, run(), net::rethrow);
    return added;
}

awaitable<> live_feed::run()
{
    happened_.clear();
    for (auto& loop : loops_)
        loop.watch(true);
    while (!watchers_.empty()) {
        auto of_loop = notes_.begin();
        for (auto& loop : loops_) // before the figures, so that what has happened is there when they are
            fetch_from(loop, *of_loop++);
        tell(co_await look_at_process_(timer_));
        timer_.expires_after(interval);
        if (!watchers_.empty())
            co_await timer_.async_wait(as_result);
    }
    for (auto& loop : loops_)
        loop.watch(false);
    runs_ = false;
}

// One that still owes an answer is not asked again.
void live_feed::fetch_from(event_loop& loop, notes& lately)
{
    if (!std::exchange(lately.owed, true))
        loop.fetch_happenings(lately.happenings,
                              [this, &lately] { asio::post(io_, [this, &lately] { came(lately); }); });
}

void live_feed::came(notes& lately)
{
    lately.owed = false;
    const auto& happenings = lately.happenings;
    if (!happenings.requests.empty() || !happenings.wires.empty())
        happened_ += text_of(writer_.happened(happenings, static_cast<std::size_t>(&lately - notes_.data())));
}

void live_feed::tell(const admin::report& report)
{
    const auto now = clock::now();
    const auto hello = text_of(writer_.hello(report, now));
    const auto news = std::exchange(happened_, {}) + text_of(writer_.state(report, now));
    for (auto& each : watchers_)
        each.tell(each.is_new() ? hello + news : news);
}

// Somebody watches no more.
void live_feed::ended()
{
    if (watchers_.empty())
        timer_.cancel();
}

awaitable<http::outcome> live_feed::ask(std::string code, steady_timer& deadline)
{
    const auto place = questions_.try_take();
    const auto id = fmt::format("live-{}", ++asked_);
    for (auto& loop : loops_)
        loop.expect_request(id);
    deadline.expires_after(longest_question);
    const auto target = "/?statusCode=" + boost::urls::encode(code, boost::urls::unreserved_chars);
    auto answer = co_await ask_over_http(*listener_, target, id, deadline);
    for (auto& loop : loops_)
        loop.forget_request(id);
    if (!answer)
        co_return answer.error();
    co_return boost::json::serialize(
        boost::json::object{{"id", id}, {"status", answer->status}, {"body", answer->body}});
}

} // namespace causeway::service

// Looking at all event loops from outside, without a lock.
#pragma once

#include "admin/report.hpp"
#include "net/asio.hpp"
#include "service/event_loop.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace causeway::service {

/// Has each event loop copy its counters, in one of its turns, and collects the copies on the thread of `io`, which is
/// not one of them. Every call except `ended` is made on that thread. It outlives the threads of the loops, and every
/// pending `take`.
class loop_survey {
public:
    /// A loop that takes longer for one turn does not serve its clients well.
    static constexpr std::chrono::nanoseconds time_to_answer = std::chrono::seconds(1);

    /// `io` and `loops`, none of which runs yet, outlive it.
    loop_survey(asio::io_context& io, std::list<event_loop>& loops);

    /// Asks the loops, waits for their answers for at most `time_to_answer`, and returns what is known then; for a loop
    /// that has not answered, its last figures. `timer` is lent for the wait; cancelling it ends the wait.
    awaitable<admin::report> take(steady_timer& timer);

    /// A loop's thread ends: its last figures are taken, and it is not asked any more. On that thread.
    void ended(const event_loop& loop);

private:
    struct state {
        event_loop* loop = nullptr;
        admin::loop_figures figures = {}; // the last known ones
        admin::loop_figures answer = {};  // the loop's own while it owes one
        bool runs = true;
        bool owes_an_answer = false;
        std::uint64_t asked_in = 0; // the call that asked last
    };

    // A call that waits for the answers.
    struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        waiter(steady_timer& lent, std::uint64_t number)
            : timer(lent)
            , call(number)
        {
        }
        steady_timer& timer;
        std::uint64_t call;
    };

    void ask(state& asked, std::uint64_t call);
    void answered(state& asked, const admin::loop_figures& figures);
    static bool owes(const state& loop, std::uint64_t call);
    bool all_answered(std::uint64_t call) const;
    admin::report sum_up(std::uint64_t call) const;

    asio::io_context& io_;
    std::vector<state> loops_;
    std::uint64_t calls_ = 0;
    boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>> waiters_;
};

} // namespace causeway::service

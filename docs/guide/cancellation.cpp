// What the page on cancellation says, each sentence of it tried out. Ends with 0 when all is as it says.
#include "asio.hpp"
#include "until_first.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

using namespace guide;

namespace {

// Whether this is how a coroutine says that it was cancelled.
bool says_cancelled(const std::exception_ptr& thrown)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    }
    return false;
}

// A coroutine that is spawned with a slot, up to its first wait.
struct spawned {
    explicit spawned(awaitable<void> coroutine)
    {
        // [spawn]
        asio::co_spawn(io, std::move(coroutine),
                       asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr why) { thrown = why; }));
        // [/spawn]
        poll();
    }

    void poll()
    {
        io.restart();
        io.poll();
    }

    // All run on one loop.
    static asio::io_context& loop()
    {
        static asio::io_context io(1);
        return io;
    }

    asio::io_context& io = loop();
    asio::cancellation_signal signal;
    std::exception_ptr thrown;
};

// [slot]
bool a_signal_ends_an_operation()
{
    asio::io_context io(1);
    asio::steady_timer timer(io, 1h);
    asio::cancellation_signal signal;
    error_code ended;
    timer.async_wait(asio::bind_cancellation_slot(signal.slot(), [&](error_code error) { ended = error; }));

    signal.emit(asio::cancellation_type::terminal);
    io.run(); // returns at once
    return ended == asio::error::operation_aborted;
}
// [/slot]

// [wait_twice]
awaitable<void> wait_twice(std::string& story)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    const auto [error] = co_await timer.async_wait(as_result);
    story += error == asio::error::operation_aborted ? "cancelled" : "over";
    co_await timer.async_wait(as_result);
    story += ", waited again"; // is not reached
}
// [/wait_twice]

bool the_next_co_await_throws()
{
    std::string story;
    spawned waits(wait_twice(story));
    waits.signal.emit(asio::cancellation_type::terminal);
    waits.poll();
    return story == "cancelled" && says_cancelled(waits.thrown);
}

// [writer]
// Takes what is to be written, and writes it: here, that is to wait.
awaitable<void> write(wakeup& has_requests, std::list<std::string>& outbox, std::list<std::string>& written)
{
    for (;;) {
        const auto [error] = co_await has_requests.async_receive(as_result);
        if (error)
            co_return;
        written.splice(written.end(), outbox);
        co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    }
}
// [/writer]

// [checking_writer]
awaitable<void> write_unless_cancelled(wakeup& has_requests, std::list<std::string>& outbox,
                                       std::list<std::string>& written)
{
    for (;;) {
        const auto [error] = co_await has_requests.async_receive(as_result);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (error || state.cancelled() != asio::cancellation_type::none)
            co_return;
        written.splice(written.end(), outbox);
        co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    }
}
// [/checking_writer]

// [too_late]
// How many messages count as written when the writer is cancelled just after its wait was over.
std::size_t written_by(awaitable<void> (*write)(wakeup&, std::list<std::string>&, std::list<std::string>&))
{
    wakeup has_requests(spawned::loop(), 1);
    std::list<std::string> outbox;
    std::list<std::string> written;
    spawned writer(write(has_requests, outbox, written)); // it waits
    asio::post(writer.io, [&] {
        outbox.emplace_back("404\n");
        has_requests.try_send(error_code());                   // its wait is over, and it has not been resumed yet
        writer.signal.emit(asio::cancellation_type::terminal); // nothing is left to cancel
    });
    writer.poll();
    return written.size();
}
// [/too_late]

bool what_stands_behind_a_wait_is_done_without_a_check() { return written_by(write) == 1; }
bool a_check_in_the_loop_leaves_it() { return written_by(write_unless_cancelled) == 0; }

// [goodbye]
awaitable<void> tidies_up(bool& has_tidied_up)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    const auto [cancelled] = co_await timer.async_wait(as_result);
    timer.expires_after(1ms);
    const auto [cancelled_again] = co_await timer.async_wait(as_result);
    has_tidied_up = cancelled && !cancelled_again;
}
// [/goodbye]

bool a_coroutine_may_go_on()
{
    bool has_tidied_up = false;
    spawned waits(tidies_up(has_tidied_up));
    waits.signal.emit(asio::cancellation_type::terminal);
    waits.io.restart();
    waits.io.run();
    return has_tidied_up && !waits.thrown;
}

// [total]
awaitable<void> hears_only(asio::cancellation_type type, bool& ended)
{
    if (type == asio::cancellation_type::total)
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
    co_await timer.async_wait(as_result);
    ended = true;
}
// [/total]

bool a_coroutine_hears_only_what_is_terminal_unless_it_says_so()
{
    bool by_default = false;
    bool on_demand = false;
    spawned first(hears_only(asio::cancellation_type::terminal, by_default));
    spawned second(hears_only(asio::cancellation_type::total, on_demand));
    first.signal.emit(asio::cancellation_type::total);
    second.signal.emit(asio::cancellation_type::total);
    first.poll();
    const bool as_expected = !by_default && on_demand;
    first.signal.emit(asio::cancellation_type::terminal); // so that nothing is left
    first.poll();
    return as_expected && by_default;
}

// [stories]
awaitable<void> accept()
{
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    throw std::runtime_error("cannot accept any more");
}

awaitable<void> sweep(asio::steady_timer& timer) { co_await timer.async_wait(as_result); }
// [/stories]

// [first_success]
awaitable<void> by_operator(asio::steady_timer& timer, std::string& story)
{
    using namespace asio::experimental::awaitable_operators;
    const auto first = co_await (accept() || sweep(timer));
    story = first.index() == 1 ? "nothing has failed" : "accept has ended";
}
// [/first_success]

// [first_end]
awaitable<void> by_until_first(asio::steady_timer& timer, std::string& story)
{
    try {
        co_await until_first(accept(), sweep(timer));
    } catch (const std::runtime_error& error) {
        story = error.what();
    }
}
// [/first_end]

// [operators]
bool the_operator_waits_for_the_first_success()
{
    std::string story;
    asio::steady_timer timer(spawned::loop(), 1h);
    spawned server(by_operator(timer, story)); // here `accept` has thrown
    const bool looks_alive = story.empty();
    timer.cancel();
    server.poll();
    return looks_alive && story == "nothing has failed";
}

bool until_first_waits_for_the_first_end()
{
    std::string story;
    asio::steady_timer timer(spawned::loop(), 1h);
    spawned server(by_until_first(timer, story));
    return story == "cannot accept any more";
}
// [/operators]

} // namespace

int main()
{
    bool all = true;
    const auto check = [&all](bool holds, std::string_view what) {
        if (!holds)
            std::cerr << "not so: " << what << '\n';
        all = all && holds;
    };
    check(a_signal_ends_an_operation(), "a signal ends an operation");
    check(the_next_co_await_throws(), "the next co_await throws");
    check(what_stands_behind_a_wait_is_done_without_a_check(), "what stands behind a wait is done without a check");
    check(a_check_in_the_loop_leaves_it(), "a check in the loop leaves it");
    check(a_coroutine_may_go_on(), "a coroutine may go on");
    check(a_coroutine_hears_only_what_is_terminal_unless_it_says_so(), "a coroutine hears what is terminal");
    check(the_operator_waits_for_the_first_success(), "|| waits for the first success");
    check(until_first_waits_for_the_first_end(), "until_first waits for the first end");
    return all ? 0 : 1;
}

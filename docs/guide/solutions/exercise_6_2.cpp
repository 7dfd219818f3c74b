// Exercise 6.2: `||` waits for the first success, `until_first` for the first end.
#include "../until_first.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <exception>
#include <stdexcept>
#include <string>

using namespace guide;

namespace {

awaitable<void> read()
{
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
    throw std::runtime_error("a mistake in the reader");
}

awaitable<void> write(wakeup& has_requests, bool& has_ended)
{
    co_await has_requests.async_receive(as_result);
    has_ended = true;
}

// [with_operator]
awaitable<void> with_operator(wakeup& has_requests, bool& write_has_ended)
{
    using namespace asio::experimental::awaitable_operators;
    co_await (read() || write(has_requests, write_has_ended));
}
// [/with_operator]

// [with_until_first]
awaitable<void> with_until_first(wakeup& has_requests, bool& write_has_ended)
{
    co_await until_first(read(), write(has_requests, write_has_ended));
}
// [/with_until_first]

// What becomes of a reader that throws.
struct outcome {
    bool write_has_ended = false;
    bool all_has_ended = false;
    std::string thrown;
};

outcome outcome_of(awaitable<void> (*converse)(wakeup&, bool&))
{
    outcome outcome;
    asio::io_context io(1);
    wakeup has_requests(io, 1);
    asio::co_spawn(io, converse(has_requests, outcome.write_has_ended), [&](std::exception_ptr thrown) {
        outcome.all_has_ended = true;
        try {
            rethrow(thrown);
        } catch (const std::runtime_error& error) {
            outcome.thrown = error.what();
        }
    });
    io.poll();
    const auto at_once = outcome;
    has_requests.close(); // so that nothing is left
    io.restart();
    io.run();
    if (at_once.all_has_ended)
        return at_once;
    outcome.write_has_ended = at_once.write_has_ended;
    outcome.all_has_ended = false;
    return outcome;
}

} // namespace

int main()
{
    const auto by_operator = outcome_of(with_operator);
    const bool went_on_and_told_nobody =
        !by_operator.write_has_ended && !by_operator.all_has_ended && by_operator.thrown.empty();
    const auto by_until_first = outcome_of(with_until_first);
    const bool ended_and_told = by_until_first.write_has_ended && by_until_first.all_has_ended &&
                                by_until_first.thrown == "a mistake in the reader";
    return went_on_and_told_nobody && ended_and_told ? 0 : 1;
}

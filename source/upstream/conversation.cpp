#include "upstream/conversation.hpp"

#include "codes/reply.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <bit>
#include <utility>
#include <variant>

namespace causeway::upstream {
namespace {

// A flood of one kind of event is told as its 1st, 2nd, 4th, 8th … occurrence.
bool worth_a_line(std::uint64_t count) { return std::has_single_bit(count); }

constexpr auto none = asio::cancellation_type::none;

// Sleeps until there is something, then writes all that has gathered in one go.
awaitable<std::string> write_requests(conversation& conversation)
{
    // A cancellation that comes between two operations finds none to end. So each round looks for it, here and below.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto state = co_await asio::this_coro::cancellation_state;
    std::string wire;
    while (state.cancelled() == none) {
        wire.clear();
        conversation.requests.take(conversation.lane, wire);
        if (wire.empty()) {
            const auto [cancelled] = co_await conversation.has_requests.wait();
            if (cancelled)
                co_return cancelled.message();
            continue;
        }
        if (!conversation.silent_since)
            conversation.silent_since = clock::now();
        const auto [error, written] = co_await asio::async_write(conversation.socket, asio::buffer(wire), as_result);
        if (error)
            co_return error.message();
    }
    co_return "cancelled";
}

// To whoever waits for it; false when that is nobody.
bool hand_out(conversation& conversation, codes::code code, reply reply)
{
    if (!conversation.requests.coalesces())
        return conversation.replies.deliver(code, std::move(reply));
    conversation.requests.answered(code);
    return conversation.replies.deliver_to_all(code, reply);
}

void deliver(conversation& conversation, std::string_view line)
{
    auto& counts = conversation.counts;
    const auto code = codes::code_named_in(line);
    if (!code) {
        if (worth_a_line(++counts.unreadable))
            spdlog::warn("upstream {}: no code in a reply of {} bytes ({} such so far)", conversation.name, line.size(),
                         counts.unreadable);
        return;
    }
    ++counts.replies;
    conversation.requests.trust(conversation.lane);
    if (!hand_out(conversation, *code, {std::string(line), &conversation.lane}) && worth_a_line(++counts.dropped))
        spdlog::info("upstream {}: dropped a reply for {}, nobody waits for it ({} such so far)", conversation.name,
                     code->text(), counts.dropped);
}

// Bytes in, lines out, each to the request that waits for it.
awaitable<std::string> read_replies(conversation& conversation)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto state = co_await asio::this_coro::cancellation_state;
    codes::reply_decoder decoder;
    while (state.cancelled() == none) {
        const auto space = decoder.space();
        const auto [error, count] =
            co_await conversation.socket.async_read_some(asio::buffer(space.data(), space.size()), as_result);
        if (error == asio::error::eof)
            co_return "closed by the upstream";
        if (error)
            co_return error.message();

        conversation.silent_since.reset();
        decoder.received(count);
        while (const auto line = decoder.next_line())
            deliver(conversation, *line);
        if (decoder.line_too_long()) {
            ++conversation.counts.unreadable;
            co_return "a reply line is longer than 64 KiB";
        }
    }
    co_return "cancelled";
}

// A peer that is frozen, or gone without a word, closes nothing. Something was written and not a byte has come for the
// whole of `patience` since: that is how it looks. To look a few times in that while costs nothing on a request's way.
awaitable<std::string> watch_for_silence(conversation& conversation)
{
    constexpr int looks = 4; // in the time of `patience`
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto state = co_await asio::this_coro::cancellation_state;
    steady_timer timer(conversation.socket.get_executor());
    while (state.cancelled() == none) {
        timer.expires_after(conversation.patience / looks);
        co_await timer.async_wait(as_result);
        if (conversation.silent_since && clock::now() - *conversation.silent_since >= conversation.patience) {
            conversation.requests.distrust(conversation.lane);
            co_return "silent for too long";
        }
    }
    co_return "cancelled";
}

} // namespace

awaitable<std::string> converse(conversation conversation)
{
    using namespace asio::experimental::awaitable_operators;
    const auto ended =
        co_await (read_replies(conversation) || write_requests(conversation) || watch_for_silence(conversation));
    co_return std::visit([](const std::string& reason) { return reason; }, ended);
}

} // namespace causeway::upstream

#include "upstream/conversation.hpp"

#include "net/until_first.hpp"
#include "net/worth_a_line.hpp"
#include "upstream/availability.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <optional>
#include <utility>
#include <variant>

namespace causeway::upstream {
namespace {

using namespace std::chrono_literals;

// Bytes of an unreadable message that the log shows.
constexpr std::size_t most_shown = 80;

// What its three coroutines know of a conversation together. A local variable of `converse`, which awaits all three.
class exchange {
public:
    explicit exchange(const conversation& conversation)
        : with_(conversation)
    {
    }

    // Says what the codec says first; without that, the connection takes questions at once.
    void greet();

    awaitable<> write(std::string& why_it_ended);
    awaitable<> read(std::string& why_it_ended);
    awaitable<> watch(std::string& why_it_ended);

private:
    void open();
    void say(std::string_view words);
    void take_events();
    void take(const event::message& message);
    void take(const event::unreadable& message);
    void take_sign_of_life();
    void break_off(std::string_view reason);
    void report_unfinished();

    const conversation& with_;
    std::string own_words_;                         // to be written: greeting, probe, heartbeats, answers
    bool open_ = false;                             // for questions
    bool quiet_ = true;                             // since the watch has looked last
    std::uint64_t replies_ = 0;                     // then
    std::optional<clock::time_point> silent_since_; // something was written, and no byte has come
    std::string_view broken_;                       // why the stream cannot be read any further
};

void exchange::say(std::string_view words)
{
    own_words_ += words;
    with_.has_requests.notify();
}

void exchange::greet()
{
    if (const auto greeting = with_.codec.greeting(); !greeting.empty())
        say(greeting);
    else
        open();
}

// A lane that fell silent is asked first whether it works: its requests go elsewhere until something comes.
void exchange::open()
{
    open_ = true;
    with_.requests.open(with_.lane);
    if (with_.lane.doubtful())
        say(with_.codec.probe(with_.lane.last_repeatable()));
    with_.opened();
}

// Sleeps until there is something, then writes all that has gathered in one go.
awaitable<> exchange::write(std::string& why_it_ended)
{
    std::string wire;
    for (;;) {
        wire.assign(own_words_);
        own_words_.clear();
        with_.requests.take(with_.lane, wire);
        if (wire.empty()) {
            co_await with_.has_requests.wait();
            continue;
        }
        quiet_ = false;
        if (!silent_since_)
            silent_since_ = clock::now();
        const auto [error, written] = co_await asio::async_write(with_.socket, asio::buffer(wire), as_result);
        spdlog::trace("upstream {}: wrote {} bytes", with_.name, written);
        if (error) {
            why_it_ended = error.message();
            co_return;
        }
    }
}

// Bytes in, events out; each message to the request that waits for it.
awaitable<> exchange::read(std::string& why_it_ended)
{
    auto& codec = with_.codec;
    while (broken_.empty()) {
        const auto space = codec.space();
        const auto [error, count] =
            co_await with_.socket.async_read_some(asio::buffer(space.data(), space.size()), as_result);
        if (error) {
            why_it_ended = error == asio::error::eof ? "closed by the upstream" : error.message();
            co_return;
        }
        quiet_ = false;
        silent_since_.reset();
        spdlog::trace("upstream {}: read {} bytes", with_.name, count);
        codec.received(count);
        take_events();
    }
    why_it_ended = broken_;
}

void exchange::take_events()
{
    for (;;) {
        const auto event = with_.codec.next();
        if (const auto* message = std::get_if<event::message>(&event))
            take(*message);
        else if (std::holds_alternative<event::incomplete>(event))
            return;
        else if (std::holds_alternative<event::alive>(event))
            take_sign_of_life();
        else if (const auto* to_answer = std::get_if<event::to_answer>(&event))
            say(to_answer->bytes);
        else if (const auto* unreadable = std::get_if<event::unreadable>(&event))
            take(*unreadable);
        else if (const auto* broken = std::get_if<event::broken>(&event))
            return break_off(broken->reason);
    }
}

void exchange::take(const event::message& message)
{
    auto& counts = with_.counts;
    ++counts.replies;
    with_.requests.works(with_.lane, true);
    if (!with_.requests.deliver(with_.lane, message.key, message.bytes) && net::worth_a_line(++counts.dropped))
        spdlog::info("upstream {}: dropped a reply for {}, nobody waits for it ({} such so far)", with_.name,
                     message.key.text(), counts.dropped);
}

void exchange::take(const event::unreadable& message)
{
    auto& counts = with_.counts;
    if (net::worth_a_line(++counts.unreadable))
        spdlog::warn("upstream {}: cannot read a message of {} bytes, '{}'; expected {} ({} such so far)", with_.name,
                     message.bytes.size(), message.bytes.substr(0, most_shown), message.expected, counts.unreadable);
}

void exchange::take_sign_of_life()
{
    if (!open_)
        open();
    with_.requests.works(with_.lane, true);
}

void exchange::break_off(std::string_view reason)
{
    ++with_.counts.unreadable;
    broken_ = reason;
}

// A backend that forgets to end its replies would otherwise be seen as one that does not answer.
void exchange::report_unfinished()
{
    auto& counts = with_.counts;
    const auto [bytes, end] = with_.codec.unfinished();
    const bool is_stuck = std::exchange(replies_, counts.replies) == counts.replies && !bytes.empty();
    if (is_stuck && net::worth_a_line(++counts.unfinished))
        spdlog::warn("upstream {}: {} bytes have come without {}, '{}' ({} such so far)", with_.name, bytes.size(), end,
                     bytes.substr(0, most_shown), counts.unfinished);
}

// A peer that is frozen, or gone without a word, closes nothing. Something was written and not a byte has come for the
// whole of `patience` since: that is how it looks. To look a few times in that while costs nothing on a request's way.
awaitable<> exchange::watch(std::string& why_it_ended)
{
    steady_timer timer(with_.socket.get_executor());
    timer.expires_after(availability::settling_time);
    co_await timer.async_wait(as_result);
    if (open_)
        with_.requests.works(with_.lane, false);

    const auto interval = with_.patience / 4;
    const auto end_of_greeting = clock::now() + with_.patience;
    std::chrono::nanoseconds quiet_for{};
    for (;;) {
        timer.expires_after(interval);
        co_await timer.async_wait(as_result);
        const auto now = clock::now();
        if (!open_ && now >= end_of_greeting) {
            why_it_ended = "it does not answer the greeting";
            co_return;
        }
        report_unfinished();
        if (silent_since_ && now - *silent_since_ >= with_.patience) {
            with_.requests.distrust(with_.lane);
            why_it_ended = "silent for too long";
            co_return;
        }
        quiet_for = std::exchange(quiet_, true) ? quiet_for + interval : interval;
        if (with_.heartbeat_after > 0s && quiet_for > with_.heartbeat_after)
            say(with_.codec.heartbeat());
    }
}

} // namespace

awaitable<std::string> converse(const conversation& conversation)
{
    exchange exchange(conversation);
    std::array<std::string, 3> why_it_ended;
    exchange.greet();
    const auto first = co_await net::until_first(exchange.read(why_it_ended[0]), exchange.write(why_it_ended[1]),
                                                 exchange.watch(why_it_ended[2]));
    co_return std::move(why_it_ended[first]);
}

} // namespace causeway::upstream

#include "upstream/conversation.hpp"

#include "net/until_first.hpp"
#include "net/worth_a_line.hpp"
#include "upstream/out_of_reach.hpp"
#include "upstream/silence.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace causeway::upstream {
namespace {

using namespace std::chrono_literals;

// Bytes of an unreadable message that the log shows.
constexpr std::size_t most_shown = 80;

// Bytes of the codec's own messages that may wait to be written. A peer that asks but does not read the answers must
// not cost memory.
constexpr std::size_t most_own_words = 64 * 1024;

// Memory for writing that a connection keeps while it has nothing to write.
constexpr std::size_t most_wire_kept = 64 * 1024;

// A trial of suspects ends early when all of them have been answered; it checks for that this many times.
constexpr int looks_at_a_trial = 5;

// The watch notices a change of its patience, or of tracing, after at most this long.
constexpr auto longest_between_looks = 1s;

// Whether a coroutine has to end although its last wait succeeded: the wait was over before the cancellation, and the
// next one throws. Anything taken from the multiplexer in between would count as written but never be written.
bool is_over(const asio::cancellation_state& state) { return state.cancelled() != asio::cancellation_type::none; }

ending failed(error_code error)
{
    return {.why = disconnect::failed, .reason = error.message(), .out_of_reach = is_out_of_reach(error)};
}

// The state that the three coroutines of a conversation share. A local variable of `converse`, which awaits all three.
class exchange {
public:
    explicit exchange(const conversation& conversation)
        : with_(conversation)
        , pause_(conversation.connection.get_executor())
        , turn_(conversation.trials)
        , silence_(clock::now(), conversation.patience, conversation.heartbeat_after)
    {
    }

    // Sends the codec's greeting; without one, the connection takes questions at once.
    void greet();

    awaitable<> write(ending& ending);
    awaitable<> read(ending& ending);
    awaitable<> watch(ending& ending);

    // How it ended, from what all of them know.
    ending sum_up(ending first) const;

private:
    void open(bool is_alive);
    void say(std::string_view words);
    void ask(std::string_view words);
    std::optional<ending> read_before_writing();
    bool end_may_have_come() const;
    void gather(clock::time_point now);
    void expect_an_answer(clock::time_point now);
    bool sent_at_once();
    error_code sent(error_code error, std::size_t count);
    awaitable<error_code> try_suspects();
    awaitable<error_code> try_some();
    awaitable<error_code> pause(std::chrono::nanoseconds duration);
    std::optional<ending> read_what_has_come();
    std::optional<ending> read_once();
    void take_events();
    void take(const event::message& message);
    void take(const event::unreadable& message);
    void take_sign_of_life();
    void hear_reply();
    void hear_sense();
    void send_heartbeat();
    void break_off(std::string_view reason);
    void report_unfinished();

    const conversation& with_;
    std::string wire_;           // being written, without what was sent at once
    std::string own_words_;      // to be written: greeting, probe, heartbeats, answers
    steady_timer pause_;         // of the writer
    trials::turn turn_;          // to try suspects
    bool own_words_ask_ = false; // one of them needs an answer
    bool open_ = false;          // for questions
    bool traced_ =
        spdlog::should_log(spdlog::level::trace);     // checked by the watch: checking each time would cost too much
    std::optional<clock::time_point> asked_at_;       // when something was first written
    bool spoke_ = false;                              // something intelligible was received
    questions questions_ = questions::none;           // what became of those that were taken
    silence silence_;                                 // of the peer
    clock::time_point last_sent_;                     // anything except suspects
    std::pair<std::uint64_t, std::size_t> last_look_; // of the watch: how many replies, and bytes of an unfinished one
    bool may_have_input_ = true;                      // the last read did not find the socket empty
    std::string_view broken_;                         // why the stream cannot be read any further
};

ending exchange::sum_up(ending first) const
{
    first.asked_at = asked_at_;
    first.opened = open_;
    first.questions = questions_;
    return first;
}

void exchange::say(std::string_view words)
{
    if (own_words_.size() + words.size() > most_own_words)
        return break_off("it does not read the answers to its questions");
    own_words_ += words;
    with_.has_requests.notify();
}

// Sends `words`, to which the peer owes an answer.
void exchange::ask(std::string_view words)
{
    own_words_ask_ = true;
    say(words);
}

void exchange::greet()
{
    if (const auto greeting = with_.codec.greeting(); !greeting.empty())
        ask(greeting);
    else
        open(false);
}

// A probe comes first if it is doubtful whether the connection works, and if what was lost waits for one that does;
// unless the peer has just answered the greeting.
void exchange::open(bool is_alive)
{
    open_ = true;
    const bool lost_ones_wait = with_.requests.has_lost() && !with_.last_was_only_probed;
    const bool is_doubtful = with_.has_to_prove_itself || with_.lane.doubtful() || lost_ones_wait;
    const bool is_to_be_asked = is_doubtful && !is_alive;
    const bool may_be_probed = with_.requests.shares_keys() || with_.answers_tests;
    const auto probe = is_to_be_asked && may_be_probed ? with_.codec.probe() : std::string();
    if (with_.has_to_prove_itself || (is_to_be_asked && probe.empty())) // then a single question has to show it
        with_.requests.distrust(with_.lane);
    with_.requests.open(with_.lane, !probe.empty());
    if (!probe.empty())
        ask(probe);
    with_.opened(!probe.empty());
}

// Sleeps until there is something to write, then writes everything that has accumulated at once. Suspects come last,
// except on a connection that begins without a probe: a backend that closes each connection after one reply would never
// get to them.
awaitable<> exchange::write(ending& ending)
{
    error_code error;
    if (own_words_.empty() && with_.requests.has_suspects_for(with_.lane))
        error = co_await try_suspects();
    while (!error) {
        if (is_over(co_await asio::this_coro::cancellation_state))
            co_return;
        if (auto ended = read_before_writing()) {
            ending = *std::move(ended);
            co_return;
        }
        if (!own_words_.empty() || with_.lane.has_unwritten()) {
            gather(clock::now());
            if (!sent_at_once()) {
                const auto [failed, count] = co_await with_.connection.write(asio::buffer(wire_));
                error = sent(failed, count);
            }
        } else if (!with_.requests.has_suspects_for(with_.lane)) {
            if (wire_.capacity() > most_wire_kept)
                std::string().swap(wire_);
            const auto [cancelled] = co_await with_.has_requests.wait();
            error = cancelled;
        }
        if (!error && with_.requests.has_suspects_for(with_.lane))
            error = co_await try_suspects();
    }
    if (is_over(co_await asio::this_coro::cancellation_state))
        co_return;
    const auto ended = read_what_has_come(); // the peer may have replied before it closed the connection
    ending = ended.value_or(failed(error));
}

// Replies may have come, and behind them the end of the connection.
std::optional<ending> exchange::read_before_writing()
{
    std::optional<ending> ended;
    if (with_.lane.has_unwritten() && (with_.lane.on_the_wire() != 0 || end_may_have_come()))
        ended = read_what_has_come();
    if (with_.lane.has_unwritten() && !ended && end_may_have_come())
        ended = read_what_has_come();
    return ended;
}

// A peer may close the connection with what it writes. A question that is written after that is lost, which matters
// where it may not be written again; and a peer that takes one question for each connection closes it with the answer
// to a probe.
bool exchange::end_may_have_come() const
{
    return may_have_input_ && (!with_.requests.shares_keys() || questions_ == questions::only_a_probe);
}

void exchange::gather(clock::time_point now)
{
    const bool asks = std::exchange(own_words_ask_, false) || with_.lane.has_unwritten();
    wire_.assign(own_words_);
    own_words_.clear();
    with_.requests.take(with_.lane, wire_, now);
    last_sent_ = now;
    silence_.had_traffic(now);
    if (asks)
        expect_an_answer(now);
}

void exchange::expect_an_answer(clock::time_point now)
{
    if (!asked_at_)
        asked_at_ = now;
    if (with_.lane.on_the_wire() != 0) {
        if (questions_ == questions::none)
            questions_ = questions::unanswered;
        else if (questions_ == questions::only_a_probe)
            questions_ = questions::answered;
    }
    silence_.asked(now);
}

// Sends what fits into the socket's buffer, which is nearly always everything, without a turn of the event loop. False
// when something is left, also after an error: the next `write` learns from the kernel that the connection is broken.
bool exchange::sent_at_once()
{
    const auto count = with_.connection.write_at_once(asio::buffer(wire_));
    if (traced_ && count != 0)
        spdlog::trace("upstream {}: wrote {} bytes", with_.name, count);
    wire_.erase(0, count);
    return wire_.empty();
}

error_code exchange::sent(error_code error, std::size_t count)
{
    if (traced_)
        spdlog::trace("upstream {}: wrote {} bytes", with_.name, count);
    if (error)
        with_.requests.put_back(with_.lane, wire_.size() - count);
    return error;
}

// Tries a few of them with nothing else, so that it is clear which was to blame if the connection is lost. If it is
// lost, the turn lasts until the conversation ends.
awaitable<error_code> exchange::try_suspects()
{
    const bool in_quiet = with_.requests.needs_quiet(with_.lane);
    if (!turn_.take(in_quiet, clock::now()))
        co_return co_await pause(trials::look_again_after);
    error_code error;
    // The trial before this one may have killed the backend without our knowing it yet.
    const auto silent_since = in_quiet ? clock::now() : last_sent_;
    if (const auto left = silent_since + multiplexer::blame_for - clock::now(); left > 0s)
        error = co_await pause(left);
    if (!error && in_quiet == with_.requests.needs_quiet(with_.lane)) // the next suspect may be a different one now
        error = co_await try_some();
    if (!error)
        turn_.give_back();
    co_return error;
}

awaitable<error_code> exchange::try_some()
{
    if (is_over(co_await asio::this_coro::cancellation_state))
        co_return asio::error::operation_aborted;
    wire_.clear();
    with_.requests.take_suspects(with_.lane, wire_, clock::now());
    if (wire_.empty())
        co_return error_code();
    expect_an_answer(clock::now());
    error_code error;
    if (!sent_at_once()) {
        const auto [failed, count] = co_await with_.connection.write(asio::buffer(wire_));
        error = sent(failed, count);
    }
    for (int look = 0; look != looks_at_a_trial && !error && with_.requests.is_trying(with_.lane); ++look)
        error = co_await pause(multiplexer::blame_for / looks_at_a_trial);
    if (!error)
        with_.requests.acquit(with_.lane);
    co_return error;
}

awaitable<error_code> exchange::pause(std::chrono::nanoseconds duration)
{
    pause_.expires_after(duration);
    const auto [cancelled] = co_await pause_.async_wait(as_result);
    co_return cancelled;
}

awaitable<> exchange::read(ending& ending)
{
    for (;;) {
        if (auto ended = read_what_has_come()) {
            ending = *std::move(ended);
            co_return;
        }
        const auto [error] = co_await with_.connection.wait_for_input(as_result);
        if (error) {
            ending = failed(error);
            co_return;
        }
    }
}

// Returns how the conversation has ended, if it has.
std::optional<ending> exchange::read_what_has_come()
{
    do {
        if (auto ended = read_once())
            return ended;
    } while (with_.connection.holds_input());
    return std::nullopt;
}

// Bytes in, events out; each message to the request that waits for it.
std::optional<ending> exchange::read_once()
{
    const auto space = with_.codec.space();
    error_code error;
    const auto count = with_.connection.read_at_once(asio::buffer(space.data(), space.size()), error);
    may_have_input_ = error != asio::error::would_block;
    if (!may_have_input_)
        return std::nullopt;
    if (error == asio::error::eof)
        return ending{.why = disconnect::closed, .reason = "closed by the upstream"};
    if (error)
        return failed(error);
    if (traced_)
        spdlog::trace("upstream {}: read {} bytes", with_.name, count);
    const auto now = clock::now();
    silence_.had_traffic(now);
    with_.requests.received(now);
    with_.codec.received(count);
    take_events();
    if (!broken_.empty())
        return ending{.why = disconnect::protocol, .reason = std::string(broken_)};
    return std::nullopt;
}

void exchange::take_events()
{
    while (broken_.empty()) {
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
            break_off(broken->reason);
    }
}

// Where keys are shared, any reply shows that the peer works, that to a probe for example. Otherwise only the reply to
// a question does: the peer may send messages of its own.
void exchange::take(const event::message& message)
{
    ++with_.counts.replies;
    if (open_) // until then only the answer to the greeting counts
        hear_sense();
    if (open_ && with_.requests.shares_keys())
        hear_reply();
    const bool is_wanted = with_.requests.deliver(with_.lane, message.key, message.bytes);
    if (!is_wanted)
        with_.dropped(message.key);
    else if (open_)
        hear_reply();
}

void exchange::take(const event::unreadable& message)
{
    auto& counts = with_.counts;
    if (net::worth_a_line(++counts.unreadable))
        spdlog::warn("upstream {}: cannot read a message of {} bytes, '{}'; expected {} ({} such so far)", with_.name,
                     message.size, message.shown.substr(0, most_shown), message.expected, counts.unreadable);
}

void exchange::take_sign_of_life()
{
    with_.answers_tests = true;
    if (!open_)
        open(true);
    hear_sense();
}

void exchange::hear_reply()
{
    questions_ = questions_ == questions::none ? questions::only_a_probe : questions::answered;
    with_.requests.spoke(with_.lane);
}

void exchange::hear_sense()
{
    silence_.heard();
    if (!with_.has_to_prove_itself)
        with_.requests.spoke(with_.lane);
    else
        with_.requests.gave_sign_of_life(with_.lane);
    if (!std::exchange(spoke_, true))
        with_.spoke();
}

void exchange::break_off(std::string_view reason)
{
    ++with_.counts.unreadable;
    broken_ = reason;
}

// Otherwise a backend that forgets to terminate its replies would look like one that does not answer.
void exchange::report_unfinished()
{
    auto& counts = with_.counts;
    const auto [shown, size, end] = with_.codec.unfinished();
    const auto before = std::exchange(last_look_, {counts.replies, size});
    const bool is_stuck = size != 0 && before == last_look_;
    if (is_stuck && net::worth_a_line(++counts.unfinished))
        spdlog::warn("upstream {}: {} bytes received without {}, '{}' ({} such so far)", with_.name, size, end,
                     shown.substr(0, most_shown), counts.unfinished);
}

// Looks at the peer's silence a few times within the patience, which costs nothing on a request's path.
awaitable<> exchange::watch(ending& ending)
{
    const auto end_of_greeting = clock::now() + with_.patience;
    steady_timer timer(with_.connection.get_executor());
    for (;;) {
        timer.expires_after(std::min<std::chrono::nanoseconds>(with_.patience / 4, longest_between_looks));
        const auto [cancelled] = co_await timer.async_wait(as_result);
        if (cancelled)
            co_return;
        const auto now = clock::now();
        traced_ = spdlog::should_log(spdlog::level::trace);
        report_unfinished();
        const auto due = silence_.check(now, with_.patience);
        if (!open_ && now >= end_of_greeting) {
            ending = {.why = disconnect::silent, .reason = "it does not answer the greeting"};
            co_return;
        }
        if (due == silence::due::end) {
            with_.requests.distrust(with_.lane);
            ending = {.why = disconnect::silent, .reason = "silent for too long"};
            co_return;
        }
        if (due == silence::due::heartbeat && open_)
            send_heartbeat();
    }
}

// A peer that never answered one may not know heartbeats; then its silence means nothing.
void exchange::send_heartbeat()
{
    if (with_.answers_tests)
        ask(with_.codec.heartbeat());
    else
        say(with_.codec.heartbeat());
}

} // namespace

awaitable<ending> converse(const conversation& conversation)
{
    exchange exchange(conversation);
    std::array<ending, 3> endings;
    exchange.greet();
    const auto first =
        co_await net::until_first(exchange.read(endings[0]), exchange.write(endings[1]), exchange.watch(endings[2]));
    co_return exchange.sum_up(std::move(endings[first]));
}

} // namespace causeway::upstream

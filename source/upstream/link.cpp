#include "upstream/link.hpp"

#include "net/rethrow.hpp"
#include "net/self_connection.hpp"
#include "net/sleep.hpp"
#include "net/socket_option.hpp"
#include "net/until_first.hpp"
#include "net/worth_a_line.hpp"
#include "upstream/out_of_reach.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace causeway::upstream {
namespace {

using namespace std::chrono_literals;

// However short the reply timeout: a pause of this length is no sign of death.
constexpr auto least_patience = 500ms;

// An attempt that takes longer has failed: the address may answer nothing at all.
constexpr auto connect_timeout = 2s;

// The same for one of several addresses, if the last one worked within the patience: it must not make a short restart
// longer than requests can wait. A part of the patience, and how long the last address is the only one to try.
constexpr auto longest_brief_timeout = 500ms;
constexpr auto brief_part = 8;

std::chrono::nanoseconds brief_timeout(std::chrono::nanoseconds patience)
{
    return std::min<std::chrono::nanoseconds>(patience / brief_part, longest_brief_timeout);
}

std::chrono::nanoseconds patience_for(std::chrono::nanoseconds reply_timeout)
{
    return std::max<std::chrono::nanoseconds>(2 * reply_timeout, least_patience);
}

} // namespace

link::link(const executor_type& executor, net::host_port upstream, const upstream::protocol& protocol,
           std::chrono::nanoseconds reply_timeout, std::chrono::nanoseconds reconnect_max, multiplexer& requests,
           outage_log& outages, upstream::trials& trials, std::function<void()> hurry_all)
    : upstream_(std::move(upstream))
    , name_(to_string(upstream_))
    , protocol_(protocol)
    , requests_(requests)
    , has_requests_(executor)
    , lane_([this] { has_requests_.notify(); }, name_)
    , availability_(clock::now())
    , outages_(outages)
    , trials_(trials)
    , patience_(patience_for(reply_timeout))
    , backoff_(reconnect_max)
    , retry_(executor)
    , hurry_all_(std::move(hurry_all))
{
}

void link::apply(std::chrono::nanoseconds reply_timeout, std::chrono::nanoseconds reconnect_max, upstream_tls tls)
{
    patience_ = patience_for(reply_timeout);
    backoff_ = backoff(reconnect_max);
    tls_ = std::move(tls);
    declines_ = hung_up_ = false;
    hurry();
}

void link::start()
{
    asio::co_spawn(retry_.get_executor(), run(), asio::bind_cancellation_slot(cancellation_.slot(), net::rethrow));
}

void link::stop()
{
    stopped_ = true;
    cancellation_.emit(asio::cancellation_type::terminal);
}

awaitable<> link::run()
{
    // A cancelled operation returns an error like any other, and the loop ends below.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopped_) {
        if (auto connection = co_await connect(); connection && !stopped_)
            co_await converse_on(*std::move(connection));
        co_await pause();
    }
}

// Connects to the first of the upstream's addresses that answers.
awaitable<std::optional<net::connection>> link::connect()
{
    auto [error, endpoints] = co_await resolve(upstream_);
    const bool are_several = endpoints.size() > 1;
    const auto brief = brief_timeout(patience_);
    const auto now = clock::now();
    const bool worked_recently = availability_.was_of_use_within(patience_, now);
    const auto timeout = worked_recently && are_several ? brief : connect_timeout;
    addresses_.arrange(endpoints, availability_.was_of_use_within(brief, now));
    for (const auto& endpoint : endpoints) {
        if (stopped_)
            break;
        std::optional<net::connection> connection;
        error = asio::error::timed_out; // unless the attempt ends first
        co_await net::until_first(attempt(endpoint, connection, error), net::sleep(timeout));
        if (!error) {
            addresses_.connected(endpoint);
            co_return connection;
        }
        if (is_out_of_reach(error))
            addresses_.out_of_reach(endpoint);
    }
    if (!stopped_)
        ++counts_.connect_failures;
    declines_ = hung_up_ = false;
    cannot_connect(error.message());
    co_return std::nullopt;
}

// Sets `error` unless it is cancelled, and `made` if it succeeds.
awaitable<> link::attempt(tcp::endpoint endpoint, std::optional<net::connection>& made, error_code& error)
{
    tcp_socket socket(retry_.get_executor());
    auto failed = co_await connect(socket, endpoint);
    if (!failed) {
        made.emplace(std::move(socket));
        if (tls_.context) {
            made->connect_tls(*tls_.context, tls_.name);
            failed = co_await made->handshake();
        }
    }
    if (failed != asio::error::operation_aborted)
        error = failed;
}

awaitable<error_code> link::connect(tcp_socket& socket, tcp::endpoint endpoint) const
{
    const auto [failed] = co_await socket.async_connect(endpoint, as_result);
    if (failed)
        co_return failed;
    if (net::is_connected_to_itself(socket)) {
        // Closed with a reset, because TIME_WAIT would keep the real upstream from its port for a minute.
        error_code ignored;
        socket.set_option(asio::socket_base::linger(true, 0), ignored);
        socket.close(ignored);
        co_return asio::error::connection_refused;
    }
    error_code gone; // the first read will report it
    socket.non_blocking(true, gone);
    watch_the_network(socket);
    co_return error_code();
}

// Without this the kernel tries to reach a peer whose cable was pulled for a quarter of an hour (tcp(7)).
void link::watch_the_network(tcp_socket& socket) const
{
    using unacknowledged = net::integer_option<IPPROTO_TCP, TCP_USER_TIMEOUT>; // milliseconds
    using idle_before_probe = net::integer_option<IPPROTO_TCP, TCP_KEEPIDLE>;  // seconds
    using between_probes = net::integer_option<IPPROTO_TCP, TCP_KEEPINTVL>;    // seconds
    const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(patience_ / 2);
    error_code gone; // the first read will report it
    socket.set_option(unacknowledged(static_cast<int>(std::clamp<std::int64_t>(half.count(), 1'000, 60'000))), gone);
    socket.set_option(asio::socket_base::keep_alive(true), gone);
    socket.set_option(idle_before_probe(10), gone);
    socket.set_option(between_probes(1), gone);
    // A request is complete when it is written; waiting to fill a segment would only delay it.
    socket.set_option(tcp::no_delay(true), gone);
}

awaitable<> link::converse_on(net::connection connection)
{
    const auto codec = protocol_.make_codec();
    const conversation conversation{.connection = connection,
                                    .codec = *codec,
                                    .requests = requests_,
                                    .lane = lane_,
                                    .has_requests = has_requests_,
                                    .trials = trials_,
                                    .counts = counts_,
                                    .name = name_,
                                    .patience = patience_,
                                    .heartbeat_after = protocol_.heartbeat_after,
                                    .answers_tests = answers_tests_,
                                    .has_to_prove_itself = !availability_.worked(),
                                    .last_was_only_probed = availability_.only_probed(),
                                    .opened = [this](bool asked_at_once) { opened(asked_at_once); },
                                    .spoke = [this] { spoke(); },
                                    .dropped = [this](const key& key) { dropped(key); }};
    const auto ending = co_await converse(conversation);
    const auto now = clock::now();
    counts_.rewritten += requests_.close(lane_, now);
    const bool had_worked = availability_.disconnected(now, ending.asked_at, ending.questions);
    addresses_.ended(availability_.was_of_use() && ending.questions != questions::unanswered &&
                     ending.why != disconnect::silent && !ending.out_of_reach);
    declines_ = !ending.opened && ending.why == disconnect::protocol;
    hung_up_ = !availability_.was_of_use();
    count(ending);
    if (ending.opened)
        tell(wire_event::lost, ending.reason);
    if (!stopped_)
        lost(ending.reason, had_worked);
}

void link::count(const ending& ending)
{
    const auto why = stopped_ ? disconnect::stopped : ending.why;
    ++(ending.opened ? counts_.disconnects[static_cast<std::size_t>(why)] : counts_.connect_failures);
}

// A connection that has to show that it works is not reported as back before it has.
void link::opened(bool asked_at_once)
{
    const auto now = clock::now();
    if (availability_.worked())
        outages_.connected(name_, availability_.since_last_worked(now));
    availability_.connected(now, asked_at_once);
    ++counts_.connects;
    tell(wire_event::connected, {});
}

void link::spoke()
{
    if (!availability_.worked())
        outages_.connected(name_, availability_.since_last_worked(clock::now()));
    availability_.spoke();
}

void link::dropped(const key& key)
{
    if (net::worth_a_line(++counts_.dropped))
        spdlog::info("upstream {}: dropped a reply for {}: no request waits for it ({} such so far)", name_, key.text(),
                     counts_.dropped);
    tell(wire_event::late_reply, key.text());
}

void link::tell(wire_event what, std::string_view detail)
{
    if (observer_ != nullptr)
        observer_->note(what, name_, detail);
}

void link::lost(std::string_view reason, bool had_worked)
{
    if (availability_.was_of_use())
        backoff_.reset();
    if (!had_worked)
        return cannot_connect(
            fmt::format("{} accepts the connection, then: {}", net::to_string(addresses_.last().value()), reason));
    outages_.lost(name_, reason);
}

awaitable<> link::pause()
{
    retry_.expires_after(backoff_.next(random_));
    if (requests_.has_unserved())
        hurry_all_();
    // `hurry` moves the expiry and so ends the wait early: then wait for the new one.
    while (!stopped_ && clock::now() < retry_.expiry())
        co_await retry_.async_wait(as_result);
}

// A host that declines the greeting is not asked more often because requests wait: it would hardly change its mind. One
// that hangs up would get a question with each connection, and lose it, so nor is that while another works.
void link::hurry()
{
    const bool would_be_of_no_use = declines_ || (hung_up_ && requests_.any_works());
    if (!would_be_of_no_use && retry_.expiry() > clock::now() + backoff::first_ceiling)
        retry_.expires_after(backoff(backoff::first_ceiling).next(random_));
}

void link::cannot_connect(std::string_view reason)
{
    if (!stopped_)
        outages_.cannot_connect(name_, reason);
}

} // namespace causeway::upstream

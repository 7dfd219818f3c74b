#include "service/bridge.hpp"

#include "admin/health.hpp"
#include "admin/status.hpp"
#include "backend/code_server.hpp"
#include "backend/iso8583_host.hpp"
#include "net/rethrow.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/access_writer.hpp"
#include "service/admin_server.hpp"
#include "service/cannot_listen.hpp"
#include "service/event_loop.hpp"
#include "service/heartbeat.hpp"
#include "service/live_feed.hpp"
#include "service/log_sink.hpp"
#include "service/loop_survey.hpp"
#include "service/loop_threads.hpp"
#include "service/payments.hpp"
#include "service/program.hpp"
#include "service/service_manager.hpp"
#include "service/supervisor.hpp"
#include "service/tls_contexts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

const net::host_port embedded_code_server{"127.0.0.1", 9670};
const net::host_port embedded_host{"127.0.0.1", 9583};

// In a rolling restart the old process holds the address until it ends, and requests wait for the new one.
constexpr auto embedded_bind_retry = 250ms;
constexpr auto embedded_advice = "if it is not another Causeway's, name a backend with --upstream";

// How many clients the embedded server may have besides the event loops, which have a connection each; in a rolling
// restart these are the loops of the new process. The embedded server uses the files of this process.
constexpr std::size_t embedded_guests = 16;

// Nothing if the protocol is the codes.
std::optional<iso8583::settings> payments_in(const bridge_settings& settings)
{
    if (settings.protocol == protocol_name::codes)
        return std::nullopt;
    return payments_in(settings.iso8583);
}

upstream::pool_settings pool_settings_in(const bridge_settings& settings, const std::vector<net::host_port>& upstreams,
                                         const std::optional<iso8583::settings>& payments, const tls_contexts& tls)
{
    return {upstreams,
            settings.reply_timeout,
            settings.reconnect_max,
            settings.upstream_window,
            settings.coalesce,
            payments ? iso8583::protocol(*payments) : codes::protocol(),
            tls.upstreams};
}

http::time_limits time_limits_in(const bridge_settings& settings)
{
    return {.idle = settings.idle_timeout, .writing = settings.write_timeout};
}

// One listening socket for each event loop, all on one port; the first of them finds out whether it is free.
std::list<event_loop> open_event_loops(asio::io_context& io, const bridge_settings& settings,
                                       const std::vector<net::host_port>& upstreams,
                                       const std::optional<iso8583::settings>& payments, const tls_contexts& tls,
                                       shared_limits& limits)
{
    const auto pool = pool_settings_in(settings, upstreams, payments, tls);
    const auto times = time_limits_in(settings);
    auto sharing = settings.share_port ? net::port_sharing::from_start : net::port_sharing::afterwards;

    std::list<event_loop> loops;
    try {
        auto place = net::resolve_for_listening(io, settings.listen);
        while (loops.size() < settings.threads) {
            loops.emplace_back(place, sharing, pool, times, limits, tls.clients, payments);
            place = loops.front().endpoint();
            sharing = net::port_sharing::from_start;
        }
    } catch (const boost::system::system_error& error) {
        throw cannot_listen(settings.listen, error.code(), settings.share_port);
    }
    return loops;
}

std::shared_ptr<access_file> open_access_log(access_writer& writer, const bridge_settings& settings)
{
    return settings.access_log.empty() ? nullptr : writer.open(settings.access_log);
}

// For how many HTTP connections there are files. Each is an open file, and everything else must get its files however
// many clients there are. Throws when there are too few files to serve any client.
std::size_t files_for_connections(const bridge_settings& settings, std::size_t upstreams, std::size_t embedded_clients)
{
    const auto admin = settings.admin ? 1 + admin_server::most_connections : 0;
    const auto needed_otherwise = 32 + settings.threads * (4 + 2 * upstreams) + embedded_clients + admin;
    const auto files = open_file_limit();
    if (files <= needed_otherwise)
        throw std::runtime_error(fmt::format(
            "the limit of open files is {}, and --threads={} needs at least {}; raise it with ulimit -n, or "
            "LimitNOFILE= in a systemd unit, or choose fewer threads",
            files, settings.threads, needed_otherwise + 1));
    return files - needed_otherwise;
}

std::size_t connections_that_fit(const bridge_settings& settings, std::size_t files)
{
    if (files < settings.max_connections)
        spdlog::warn("the limit of open files ({}) allows only {} connections; raise it with ulimit -n",
                     open_file_limit(), files);
    return std::min(files, settings.max_connections);
}

// In a rolling restart the address is free when the old process has ended.
std::optional<admin_listener> listen_for_admin(asio::io_context& io, const bridge_settings& settings)
{
    if (!settings.admin)
        return std::nullopt;
    return listen_for_admin(io, admin_address{settings.admin->place, settings.admin->if_free || settings.share_port});
}

admin::facts facts_of(const bridge_settings& settings, const std::vector<net::host_port>& upstreams, bool can_be_asked)
{
    admin::facts facts{.version = CAUSEWAY_VERSION,
                       .upstreams = {},
                       .protocol = settings.protocol == protocol_name::codes ? "codes" : "iso8583",
                       .coalesces = settings.coalesce,
                       .can_be_asked = can_be_asked,
                       .started = std::chrono::system_clock::now()};
    for (const auto& upstream : upstreams)
        facts.upstreams.push_back(net::to_string(upstream));
    return facts;
}

// Where a client on this machine finds it. A payment must not be made because somebody is curious, and with TLS a
// client may need a certificate.
std::optional<tcp::endpoint> place_to_ask(const bridge_settings& settings, tcp::endpoint place)
{
    if (settings.protocol != protocol_name::codes || !settings.tls.certificate.empty())
        return std::nullopt;
    if (place.address().is_unspecified()) {
        const bool is_v6 = place.address().is_v6();
        place.address(is_v6 ? asio::ip::address(asio::ip::address_v6::loopback()) : asio::ip::address_v4::loopback());
    }
    return place;
}

std::size_t sum_of_requests_cut(const std::list<event_loop>& loops)
{
    std::size_t sum = 0;
    for (const auto& loop : loops)
        sum += loop.requests_cut();
    return sum;
}

void log_summary(const std::list<event_loop>& loops, std::size_t requests_cut)
{
    upstream::statistics sum;
    std::uint64_t access_lines_lost = 0;
    for (const auto& loop : loops) {
        sum += loop.counts();
        access_lines_lost += loop.access_lines_lost();
    }
    spdlog::info(
        "upstream: {} replies, {} of them dropped because nobody waited, {} unreadable; {} requests timed out, "
        "{} refused as unavailable, {} as overloaded, {} lost with their connection, {} abandoned by their "
        "clients, {} written again; {} connections",
        sum.replies, sum.dropped, sum.unreadable, sum.timed_out, sum.unavailable + sum.stopped, sum.overloaded,
        sum.lost, sum.abandoned, sum.rewritten, sum.connects);
    if (access_lines_lost != 0)
        spdlog::warn("{} lines of the access log were lost", access_lines_lost);
    if (requests_cut != 0)
        spdlog::warn("stopped with {} requests cut off", requests_cut);
    else
        spdlog::info("stopped");
}

// The parts of the process. Each refers only to those before it.
class bridge {
public:
    explicit bridge(live_settings<bridge_settings>& live);
    int run();

private:
    bool embedded() const { return settings_.upstreams.empty(); }
    std::unique_ptr<backend::server> make_embedded_server();
    std::function<void()> prepare_reload(const bridge_settings& wanted);
    awaitable<admin::report> look_at_process(steady_timer& timer);
    awaitable<heartbeat::condition> condition(steady_timer& timer);
    void log_accesses(const std::shared_ptr<access_file>& file, log_format format);
    awaitable<> supervise();
    void say_where_it_listens() const;
    void suggest_a_request(const std::string& url) const;
    void warn_of_plain_http() const;

    live_settings<bridge_settings>& live_;
    const bridge_settings settings_; // at the start
    const std::optional<iso8583::settings> payments_;
    const std::vector<net::host_port> upstreams_;
    const std::size_t embedded_clients_;
    const std::size_t files_; // for connections
    asio::io_context io_{1};
    service_manager manager_{io_};
    shared_limits limits_;
    tls_contexts tls_;
    access_writer access_writer_;
    std::shared_ptr<access_file> access_log_; // until it is in use
    std::optional<admin_listener> admin_listener_;
    std::unique_ptr<backend::server> embedded_server_;
    // Behind all that may fail or block: from now on clients of another process on the same port may come here.
    std::list<event_loop> loops_;
    const tcp::endpoint place_; // where they listen, or listened
    supervisor supervisor_;
    loop_survey survey_;
    heartbeat heartbeat_;
    const std::optional<tcp::endpoint> place_to_ask_;
    const admin::facts facts_;
    live_feed live_feed_;
    std::optional<admin_server> admin_;
};

bridge::bridge(live_settings<bridge_settings>& live)
    : live_(live)
    , settings_(live.now())
    , payments_(payments_in(settings_))
    , upstreams_(embedded() ? std::vector{payments_ ? embedded_host : embedded_code_server} : settings_.upstreams)
    , embedded_clients_(embedded() ? 2 * settings_.threads + embedded_guests : 0)
    , files_(files_for_connections(settings_, upstreams_.size(), embedded_clients_))
    , limits_{net::limit(settings_.max_pending), net::limit(connections_that_fit(settings_, files_))}
    , tls_(make_tls_contexts(settings_))
    , access_log_(open_access_log(access_writer_, settings_))
    , admin_listener_(listen_for_admin(io_, settings_))
    , embedded_server_(embedded() ? make_embedded_server() : nullptr)
    , loops_(open_event_loops(io_, settings_, upstreams_, payments_, tls_, limits_))
    , place_(loops_.front().endpoint())
    , supervisor_(
          io_, loops_, live_, [this](const bridge_settings& wanted) { return prepare_reload(wanted); }, manager_)
    , survey_(io_, loops_)
    , heartbeat_(io_, manager_, [this](steady_timer& timer) { return condition(timer); })
    , place_to_ask_(place_to_ask(settings_, place_))
    , facts_(facts_of(settings_, upstreams_, place_to_ask_.has_value()))
    , live_feed_(
          io_, loops_, facts_, [this](steady_timer& timer) { return look_at_process(timer); }, place_to_ask_)
{
    if (payments_)
        leave_no_core_dump();
    log_accesses(std::exchange(access_log_, nullptr), settings_.log.format);
    if (admin_listener_)
        admin_.emplace(
            io_, *std::move(admin_listener_), facts_, [this](steady_timer& timer) { return look_at_process(timer); },
            live_feed_);
}

std::unique_ptr<backend::server> bridge::make_embedded_server()
{
    if (payments_)
        return std::make_unique<backend::iso8583_host>(io_, embedded_host, embedded_bind_retry, embedded_clients_,
                                                       embedded_advice, host_settings_in(settings_.iso8583.wire));
    return std::make_unique<backend::code_server>(io_, embedded_code_server, embedded_bind_retry, embedded_clients_,
                                                  embedded_advice);
}

int bridge::run()
{
    if (embedded_server_) {
        embedded_server_->start();
        io_.poll(); // so that it listens before any client connects
    }
    asio::co_spawn(io_, supervise(), net::rethrow);
    if (admin_)
        admin_->start();
    {
        const loop_threads threads(loops_, [this](const event_loop& loop) {
            survey_.ended(loop);
            supervisor_.loop_ended();
        });
        say_where_it_listens();
        manager_.ready();
        heartbeat_.start();
        io_.run();
    }
    access_writer_.stop();
    disregard_signals_until_the_end();
    const auto requests_cut = sum_of_requests_cut(loops_);
    log_summary(loops_, requests_cut);
    return requests_cut == 0 ? 0 : 1;
}

awaitable<> bridge::supervise()
{
    co_await supervisor_.run();
    if (embedded_server_)
        embedded_server_->stop();
    if (admin_)
        admin_->stop();
    heartbeat_.stop();
}

// Returns what puts `wanted` in force. The file of the access log may have been moved away, whatever else is wrong.
std::function<void()> bridge::prepare_reload(const bridge_settings& wanted)
{
    const auto access_log = open_access_log(access_writer_, wanted);
    if (wanted.access_log == live_.now().access_log)
        log_accesses(access_log, live_.now().log.format);
    return [this, wanted, access_log, contexts = make_tls_contexts(wanted)] {
        const bool had_tls = tls_.clients != nullptr;
        tls_ = contexts;
        if (had_tls)
            warn_of_plain_http();
        limits_.pending.set_bound(wanted.max_pending);
        limits_.connections.set_bound(connections_that_fit(wanted, files_));
        for (auto& loop : loops_)
            loop.apply(pool_settings_in(wanted, upstreams_, payments_, tls_), time_limits_in(wanted), tls_.clients);
        log_accesses(access_log, wanted.log.format);
    };
}

void bridge::log_accesses(const std::shared_ptr<access_file>& file, log_format format)
{
    access_writer_.use(file);
    for (auto& loop : loops_)
        loop.log_accesses(access_writer_, file, format);
}

// The figures of the event loops, and those of the process.
awaitable<admin::report> bridge::look_at_process(steady_timer& timer)
{
    auto report = co_await survey_.take(timer);
    report.draining = supervisor_.draining();
    report.connections = limits_.connections.taken();
    report.connections_limit = limits_.connections.bound();
    report.waiting_limit = limits_.pending.bound();
    report.upstream_window = live_.now().upstream_window;
    report.reply_timeout = live_.now().reply_timeout;
    report.reloads = live_.counts();
    report.certificate_expiry = net::expiry_of(tls_.clients);
    report.log_lines_lost = lines_lost_of_the_log();
    co_return report;
}

awaitable<heartbeat::condition> bridge::condition(steady_timer& timer)
{
    const auto report = co_await look_at_process(timer);
    co_return heartbeat::condition{admin::status_of(report), admin::health_of(report) == admin::all_is_well};
}

void bridge::say_where_it_listens() const
{
    const auto url = fmt::format("{}://{}", tls_.clients ? "https" : "http", net::to_string(place_));
    spdlog::info("listening on {}", url);
    warn_of_plain_http();
    if (embedded())
        suggest_a_request(url);
}

void bridge::suggest_a_request(const std::string& url) const
{
    if (!payments_) {
        spdlog::info("try: curl -s '{}/?statusCode=404'", url);
        return;
    }
    spdlog::warn("there is no --upstream: an emulated host in this process approves payments that nobody makes");
    if (const auto purchase = example_of_a_purchase(*payments_, std::chrono::system_clock::now()); !purchase.empty())
        spdlog::info("try: curl -s -H 'Content-Type: application/json' -d '{}' {}", purchase, url);
}

// Unless they speak TLS, or nobody can eavesdrop on them.
void bridge::warn_of_plain_http() const
{
    if (!tls_.clients && !place_.address().is_loopback())
        spdlog::warn("clients speak plain HTTP, which others on their way can read; give --tls-certificate, or let "
                     "a proxy on this machine do it");
}

} // namespace

int run_bridge(live_settings<bridge_settings>& live) { return bridge(live).run(); }

} // namespace causeway::service

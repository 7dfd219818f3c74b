#include "service/bridge.hpp"

#include "backend/code_server.hpp"
#include "net/leave_port.hpp"
#include "net/rethrow.hpp"
#include "net/sleep.hpp"
#include "net/until_first.hpp"
#include "net/wakeup.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/access_writer.hpp"
#include "service/admin_server.hpp"
#include "service/cannot_listen.hpp"
#include "service/event_loop.hpp"
#include "service/log_sink.hpp"
#include "service/loop_survey.hpp"
#include "service/program.hpp"
#include "service/tls_contexts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;
using signal_set = asio::basic_signal_set<executor_type>;

const net::host_port embedded_address{"127.0.0.1", 9670};

// In a rolling restart the old process holds the address until it ends, and requests wait for the new one.
constexpr auto embedded_bind_retry = 250ms;
constexpr auto embedded_advice = "if it is not another Causeway's, name a backend with --upstream";

// How many may talk to the embedded code server at once besides the event loops, which have a connection each, and in a
// rolling restart those of the new process, which are its guests. It has its files from the same process.
constexpr std::size_t embedded_guests = 16;

upstream::pool_settings pool_settings_in(const bridge_settings& settings, const std::vector<net::host_port>& upstreams,
                                         const tls_contexts& tls)
{
    return {upstreams,         settings.reply_timeout, settings.reconnect_max, settings.upstream_window,
            settings.coalesce, codes::protocol(),      tls.upstreams};
}

http::time_limits time_limits_in(const bridge_settings& settings)
{
    return {.idle = settings.idle_timeout, .writing = settings.write_timeout};
}

// One listening socket for each event loop, all on one port; the first of them finds out whether it is free.
std::list<event_loop> open_event_loops(asio::io_context& io, const bridge_settings& settings,
                                       const std::vector<net::host_port>& upstreams, const tls_contexts& tls,
                                       shared_limits& limits)
{
    const auto pool = pool_settings_in(settings, upstreams, tls);
    const auto times = time_limits_in(settings);
    auto sharing = settings.share_port ? net::port_sharing::from_start : net::port_sharing::afterwards;

    std::list<event_loop> loops;
    try {
        auto place = net::resolve_for_listening(io, settings.listen);
        while (loops.size() < settings.threads) {
            loops.emplace_back(place, sharing, pool, times, limits, tls.clients);
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

void log_accesses(std::list<event_loop>& loops, access_writer& writer, const std::shared_ptr<access_file>& file,
                  log_format format)
{
    writer.use(file);
    for (auto& loop : loops)
        loop.log_accesses(writer, file, format);
}

// Each event loop on its own thread. Whatever ends this scope, the loops end with it.
class loop_threads {
public:
    loop_threads(std::list<event_loop>& loops, const std::function<void(const event_loop&)>& loop_ended)
        : loop_threads(loops) // from here on the destructor runs, also when a thread cannot be had
    {
        for (auto& loop : loops_)
            start(loop, loop_ended);
    }
    ~loop_threads() { std::ranges::for_each(loops_, &event_loop::cut); }
    loop_threads(const loop_threads&) = delete;
    loop_threads& operator=(const loop_threads&) = delete;

private:
    explicit loop_threads(std::list<event_loop>& loops)
        : loops_(loops)
    {
    }

    void start(event_loop& loop, const std::function<void(const event_loop&)>& loop_ended)
    try {
        threads_.emplace_back([&loop, loop_ended] {
            loop.run();
            loop_ended(loop);
        });
    } catch (const std::system_error& error) {
        throw std::runtime_error(fmt::format(
            "cannot start all of --threads={}: {}; choose fewer, or raise the limit of processes with ulimit -u, or "
            "TasksMax= in a unit of systemd, or let a thread have a smaller stack with ulimit -s",
            loops_.size(), error.code().message()));
    }

    std::list<event_loop>& loops_;
    std::vector<std::jthread> threads_; // joined last
};

// Runs on the main thread while the event loops run on theirs. Ends when they have all ended.
class supervisor {
public:
    using preparation = live_settings<bridge_settings>::preparation;

    supervisor(asio::io_context& io, std::list<event_loop>& loops, live_settings<bridge_settings>& settings,
               preparation prepare)
        : io_(io)
        , loops_(loops)
        , place_(loops.front().endpoint())
        , settings_(settings)
        , prepare_(std::move(prepare))
        , signals_(io, SIGINT, SIGTERM)
        , hangups_(io, SIGHUP)
        , loop_ended_(io.get_executor())
        , running_(loops.size())
    {
    }

    // Any thread: one event loop has ended.
    void loop_ended()
    {
        asio::post(io_, [this] {
            --running_;
            loop_ended_.notify();
        });
    }

    awaitable<> run() { co_await net::until_first(serve_and_stop(), reload_at_hangups()); }

    // Whether it has been told to stop.
    bool draining() const noexcept { return draining_; }

private:
    awaitable<> serve_and_stop();
    awaitable<> reload_at_hangups();
    void refuse_newcomers();
    net::sockets_of_port others_that_get_newcomers(std::size_t others) const;
    awaitable<> all_ended();
    awaitable<> signal();

    asio::io_context& io_;
    std::list<event_loop>& loops_;
    tcp::endpoint place_;
    live_settings<bridge_settings>& settings_;
    preparation prepare_;
    signal_set signals_;
    signal_set hangups_;
    net::wakeup loop_ended_;
    std::size_t running_;
    bool draining_ = false;
};

awaitable<> supervisor::serve_and_stop()
{
    co_await signal();
    draining_ = true;
    spdlog::info("stopping: no new connections, requests under way are finished; a second signal ends at once");
    const auto others = net::others_listening_on(place_, loops_.size());
    if (others == 0)
        refuse_newcomers();
    for (auto& loop : loops_)
        loop.drain(others_that_get_newcomers(others));

    const auto first = co_await net::until_first(all_ended(), net::sleep(settings_.now().drain_timeout), signal());
    if (first != 0) {
        std::ranges::for_each(loops_, &event_loop::cut);
        co_await all_ended();
    }
}

// Until the last socket is told to refuse, all newcomers are dealt to it. It has the number 0 if this process was the
// first on its port.
void supervisor::refuse_newcomers()
{
    loops_.front().deal_newcomers({.first = 0, .count = 1});
    for (auto& loop : loops_ | std::views::reverse)
        loop.refuse_newcomers();
}

// In a rolling restart this process has been there for longer, so its own sockets come first, and those of the others
// follow. The numbers are chosen such that nobody has them once our own sockets are closed: from then on the kernel
// deals to all that are left.
net::sockets_of_port supervisor::others_that_get_newcomers(std::size_t others) const
{
    const auto own = loops_.size();
    return {.first = std::max(own, others), .count = std::min(own, others)};
}

awaitable<> supervisor::all_ended()
{
    while (running_ != 0)
        co_await loop_ended_.wait();
}

// A terminal that is closed sends SIGHUP too, and does no harm then.
awaitable<> supervisor::reload_at_hangups()
{
    for (;;) {
        const auto [cancelled, number] = co_await hangups_.async_wait(as_result);
        if (cancelled)
            co_return;
        settings_.reload(prepare_);
    }
}

awaitable<> supervisor::signal() { co_await signals_.async_wait(as_result); }

// How many HTTP connections there are files for. Each is an open file, and what else needs one must get it however many
// clients there are. Throws when there are too few files to serve anybody.
std::size_t files_for_connections(const bridge_settings& settings, std::size_t upstreams, std::size_t embedded_clients)
{
    const auto admin = settings.admin ? 1 + admin_server::most_connections : 0;
    const auto needed_otherwise = 32 + settings.threads * (4 + 2 * upstreams) + embedded_clients + admin;
    const auto files = open_file_limit();
    if (files <= needed_otherwise)
        throw std::runtime_error(fmt::format(
            "the limit of open files is {}, and --threads={} needs at least {}; raise it with ulimit -n, or "
            "LimitNOFILE= in a unit of systemd, or choose fewer threads",
            files, settings.threads, needed_otherwise + 1));
    return files - needed_otherwise;
}

std::size_t connections_that_fit(const bridge_settings& settings, std::size_t files)
{
    if (files < settings.max_connections)
        spdlog::warn("the limit of open files ({}) allows {} connections only; raise it with ulimit -n",
                     open_file_limit(), files);
    return std::min(files, settings.max_connections);
}

awaitable<admin::report> look_at_process(loop_survey& survey, steady_timer& timer,
                                         std::function<void(admin::report&)> add_the_rest)
{
    auto report = co_await survey.take(timer);
    add_the_rest(report);
    co_return report;
}

// Where an operator can look at it. In a rolling restart the address is free when the old process has ended.
admin_address admin_address_of(const bridge_settings& settings)
{
    return {settings.admin->place, settings.admin->if_free || settings.share_port};
}

admin::facts facts_of(const std::vector<net::host_port>& upstreams)
{
    admin::facts facts{.version = CAUSEWAY_VERSION, .upstreams = {}};
    for (const auto& upstream : upstreams)
        facts.upstreams.push_back(net::to_string(upstream));
    return facts;
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

} // namespace

int run_bridge(live_settings<bridge_settings>& live)
{
    const auto settings = live.now(); // at the start
    asio::io_context io{1};
    const bool embedded = settings.upstreams.empty();
    const auto upstreams = embedded ? std::vector{embedded_address} : settings.upstreams;

    const auto embedded_clients = embedded ? 2 * settings.threads + embedded_guests : 0;
    const auto files = files_for_connections(settings, upstreams.size(), embedded_clients);

    access_writer writer; // outlives the loops
    const auto access_log = open_access_log(writer, settings);
    shared_limits limits{net::limit(settings.max_pending), net::limit(connections_that_fit(settings, files))};
    auto tls = make_tls_contexts(settings);
    auto loops = open_event_loops(io, settings, upstreams, tls, limits);
    log_accesses(loops, writer, access_log, settings.log.format);
    supervisor supervisor(io, loops, live, [&](const bridge_settings& wanted) {
        auto file = open_access_log(writer, wanted);
        if (wanted.access_log == live.now().access_log) // it may have been moved away, whatever else is wrong
            log_accesses(loops, writer, file, live.now().log.format);
        return [&, wanted, file, contexts = make_tls_contexts(wanted)] {
            tls = contexts;
            limits.pending.set_bound(wanted.max_pending);
            limits.connections.set_bound(connections_that_fit(wanted, files));
            for (auto& loop : loops)
                loop.apply(pool_settings_in(wanted, upstreams, tls), time_limits_in(wanted), tls.clients);
            log_accesses(loops, writer, file, wanted.log.format);
        };
    });

    loop_survey survey(io, loops);
    const auto add_what_no_loop_knows = [&](admin::report& report) {
        report.draining = supervisor.draining();
        report.connections = limits.connections.taken();
        report.connections_limit = limits.connections.bound();
        report.waiting_limit = limits.pending.bound();
        report.upstream_window = live.now().upstream_window;
        report.reloads = live.counts();
        report.certificate_expiry = net::expiry_of(tls.clients);
        report.log_lines_lost = lines_lost_of_the_log();
    };
    std::optional<admin_server> admin;
    if (settings.admin)
        admin.emplace(io, admin_address_of(settings), facts_of(upstreams),
                      [&](steady_timer& timer) { return look_at_process(survey, timer, add_what_no_loop_knows); });
    std::optional<backend::code_server> code_server;
    if (embedded)
        code_server.emplace(io, embedded_address, embedded_bind_retry, embedded_clients, embedded_advice).start();
    asio::co_spawn(io, supervisor.run(), [&](const std::exception_ptr& thrown) {
        net::rethrow(thrown);
        if (code_server)
            code_server->stop();
        if (admin)
            admin->stop();
    });
    if (admin)
        admin->start();

    const auto address = net::to_string(loops.front().endpoint());
    {
        const loop_threads threads(loops, [&](const event_loop& loop) {
            survey.ended(loop);
            supervisor.loop_ended();
        });
        spdlog::info("listening on {}://{}", tls.clients ? "https" : "http", address);
        if (!tls.clients && !loops.front().endpoint().address().is_loopback())
            spdlog::warn("clients speak plain HTTP, which others on their way can read; give --tls-certificate, or let "
                         "a proxy on this machine do it");
        if (embedded)
            spdlog::info("try: curl -s '{}://{}/?statusCode=404'", tls.clients ? "https" : "http", address);
        io.run();
    }
    writer.stop();
    std::size_t requests_cut = 0;
    for (const auto& loop : loops)
        requests_cut += loop.requests_cut();
    log_summary(loops, requests_cut);
    return requests_cut == 0 ? 0 : 1;
}

} // namespace causeway::service

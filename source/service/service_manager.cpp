#include "service/service_manager.hpp"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>

#include <sys/un.h>
#include <unistd.h>

namespace causeway::service {
namespace {

using std::chrono::microseconds;

// After the drain, to close what is left.
constexpr std::chrono::seconds time_to_end(5);

// From the environment; empty if it is not set.
std::string variable(const char* name)
{
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): no code sets one
    return value == nullptr ? "" : value;
}

// The name of a socket: a path, or an @ and a name in the abstract namespace, which the kernel knows by a NUL in front
// (unix(7)).
std::optional<std::string> path_of_socket(std::string name)
{
    const bool is_abstract = name.starts_with('@');
    if ((!is_abstract && !name.starts_with('/')) || name.size() >= sizeof(sockaddr_un::sun_path))
        return std::nullopt;
    if (is_abstract)
        name.front() = '\0';
    return name;
}

// sd_watchdog_enabled(3): the variables may be meant for the parent of this process.
std::optional<std::chrono::nanoseconds> watchdog_of_this_process()
{
    const auto text = variable("WATCHDOG_USEC");
    const auto process = variable("WATCHDOG_PID");
    std::int64_t time = 0;
    std::from_chars(text.data(), text.data() + text.size(), time);
    if (time <= 0 || (!process.empty() && process != std::to_string(::getpid())))
        return std::nullopt;
    return microseconds(time);
}

template <class Duration>
auto in_microseconds(Duration duration)
{
    return std::chrono::duration_cast<microseconds>(duration).count();
}

} // namespace

service_manager::service_manager(asio::io_context& io)
{
    const auto name = variable("NOTIFY_SOCKET");
    if (name.empty())
        return;
    const auto path = path_of_socket(name);
    if (!path) {
        spdlog::warn("NOTIFY_SOCKET={} is neither a path nor an @ and a name, so the service manager is told nothing",
                     name);
        return;
    }
    place_ = protocol::endpoint(*path);
    socket_.emplace(io, protocol());
    socket_->non_blocking(true);
    watchdog_ = watchdog_of_this_process();
}

void service_manager::ready()
{
    serves_ = true;
    enter("READY=1");
}

void service_manager::reloading()
{
    if (serves_)
        enter(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                          in_microseconds(std::chrono::steady_clock::now().time_since_epoch())));
}

void service_manager::reloaded()
{
    if (serves_)
        enter("READY=1");
}

void service_manager::stopping(std::chrono::nanoseconds drain)
{
    serves_ = false;
    enter(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", in_microseconds(drain + time_to_end)));
}

void service_manager::tell(std::string_view status, bool alive)
{
    if (!untold_.empty())
        enter(std::move(untold_));
    send(fmt::format("STATUS={}{}", status, alive && watchdog_ ? "\nWATCHDOG=1" : ""));
}

void service_manager::enter(std::string state) { untold_ = send(state) ? std::string() : std::move(state); }

// False when it was not accepted.
bool service_manager::send(const std::string& message)
{
    error_code error;
    if (socket_)
        socket_->send_to(asio::buffer(message), place_, 0, error);
    return !error;
}

} // namespace causeway::service

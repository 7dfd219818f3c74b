#include "process.hpp"

#include "../temporary.hpp"

#include "blocking.hpp"
#include "kit.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace causeway::test {
namespace {

void check(bool succeeded, const char* what)
{
    if (!succeeded)
        throw std::system_error(errno, std::generic_category(), what);
}

struct pipe_ends {
    descriptor reading;
    descriptor writing;
};

pipe_ends make_pipe()
{
    std::array<int, 2> ends{};
    check(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe2");
    return {descriptor(ends[0]), descriptor(ends[1])};
}

bool is_for_children(std::string_view variable)
{
    constexpr auto others =
        std::to_array<std::string_view>({"CAUSEWAY_", "CODESERVER_", "ISO8583_HOST_", "NOTIFY_SOCKET=", "WATCHDOG_"});
    return std::ranges::none_of(others, [&](std::string_view name) { return variable.starts_with(name); });
}

// In the form that exec needs, ending with a null pointer.
std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// In the child, between fork and exec: uses only what is safe there although the parent has threads.
[[noreturn]] void become(const char* path, char* const* arguments, char* const* environment, const pipe_ends& output,
                         const pipe_ends& error, int parent)
{
    constexpr int cannot_start = 127;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(output.writing.number(), STDOUT_FILENO) != -1 &&
        dup2(error.writing.number(), STDERR_FILENO) != -1 && close_range(STDERR_FILENO + 1, UINT_MAX, 0) == 0)
        execve(path, arguments, environment);
    _exit(cannot_start);
}

// The last of the first `times` complete lines in `text` that contain `part`; `times` becomes how many were missing.
std::optional<std::string> find_line(std::string_view text, std::string_view part, std::size_t& times)
{
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        const auto line = text.substr(0, end);
        if (line.find(part) != std::string_view::npos && --times == 0)
            return std::string(line);
        text.remove_prefix(end + 1);
    }
    return std::nullopt;
}

std::vector<std::string> with_hosts_file(const std::string& hosts, const std::string& program,
                                         const std::vector<std::string>& arguments)
{
    std::vector<std::string> all{
        "-c", R"(exec unshare --map-root-user --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$0" "$@")",
        hosts, program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

} // namespace

process::process(const std::string& path, const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment)
{
    std::vector<std::string> words{path};
    words.insert(words.end(), arguments.begin(), arguments.end());
    auto variables = environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (is_for_children(*variable))
            variables.emplace_back(*variable);
    const auto argument_pointers = pointers_to(words);
    const auto variable_pointers = pointers_to(variables);

    auto output = make_pipe();
    auto error = make_pipe();
    const int parent = getpid();
    id_ = fork();
    check(id_ != -1, "fork");
    if (id_ == 0)
        become(path.c_str(), argument_pointers.data(), variable_pointers.data(), output, error, parent);
    reader_ = std::jthread([this, out = std::move(output.reading), err = std::move(error.reading)]() mutable {
        read_output(std::move(out), std::move(err));
    });
}

process::~process()
{
    if (waited_for_)
        return;
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
}

// On its own thread, until the program has closed both streams, which it does when it ends.
void process::read_output(descriptor output, descriptor error)
{
    std::array<pollfd, 2> streams{pollfd{output.number(), POLLIN, 0}, pollfd{error.number(), POLLIN, 0}};
    std::array<std::string*, 2> texts{&output_, &error_};
    std::array<char, 4096> buffer;
    while (std::ranges::any_of(streams, [](const pollfd& stream) { return stream.fd != -1; })) {
        if (poll(streams.data(), streams.size(), -1) == -1)
            continue;
        for (std::size_t i = 0; i < streams.size(); ++i) {
            if (streams[i].revents == 0)
                continue;
            const auto count = read(streams[i].fd, buffer.data(), buffer.size());
            if (count <= 0) {
                streams[i].fd = -1; // poll(2) ignores it from now on
                continue;
            }
            const std::lock_guard lock(mutex_);
            texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
            changed_.notify_all();
        }
    }
    const std::lock_guard lock(mutex_);
    all_read_ = true;
    changed_.notify_all();
}

std::string process::wait_for_line(std::string_view text, std::size_t times)
{
    std::optional<std::string> line;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] {
        auto missing = times;
        line = find_line(output_, text, missing);
        if (!line)
            line = find_line(error_, text, missing);
        return line || all_read_;
    });
    if (!line)
        throw std::runtime_error("no line '" + std::string(text) + "' in:\n" + output_ + error_);
    return *line;
}

void process::signal(int number)
{
    if (!waited_for_) // until then the id is not reused
        check(kill(id_, number) == 0, "kill");
}

int process::wait()
{
    if (waited_for_)
        return status_;
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, patience, [&] { return all_read_; }))
            throw std::runtime_error("the program does not end; it printed:\n" + output_ + error_);
    }
    int status = 0;
    check(waitpid(id_, &status, 0) == id_, "waitpid");
    waited_for_ = true;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_;
}

std::string process::standard_output() const
{
    const std::lock_guard lock(mutex_);
    return output_;
}

std::string process::standard_error() const
{
    const std::lock_guard lock(mutex_);
    return error_;
}

std::string process::output() const { return standard_output() + standard_error(); }

std::size_t process::kibibytes(std::string_view what) const
{
    std::ifstream status("/proc/" + std::to_string(id_) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(what))
            return number_before(" kB", line);
    throw std::runtime_error("the process has no memory: does it run?");
}

std::size_t process::open_descriptors() const
{
    const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(id_) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

std::uint16_t causeway_process::admin_port()
{
    const auto line = wait_for_line("metrics on http://");
    const auto end = line.rfind('/');
    return static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':', end) + 1)));
}

std::vector<std::string> without_admin_pages(std::vector<std::string> arguments)
{
    const auto is_admin = [](const std::string& argument) { return argument.starts_with("--admin"); };
    if (std::ranges::none_of(arguments, is_admin))
        arguments.emplace_back("--admin=off");
    return arguments;
}

std::uint16_t server_process::port() { return port_in(wait_for_line("listening on ")); }

std::string server_process::address() { return "127.0.0.1:" + std::to_string(port()); }

causeway_process::causeway_process(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment)
    : server_process(CAUSEWAY_PROGRAM, without_admin_pages(arguments), environment)
{
}

causeway_with_hosts::causeway_with_hosts(const std::string& hosts, const std::vector<std::string>& arguments)
    : server_process("/bin/sh", with_hosts_file(hosts, CAUSEWAY_PROGRAM, without_admin_pages(arguments)))
{
}

bool names_can_be_changed()
{
    const temporary_file hosts;
    process nothing("/bin/sh", with_hosts_file(hosts.path(), "/bin/true", {}));
    return nothing.wait() == 0;
}

code_server_process::code_server_process(const std::vector<std::string>& arguments)
    : server_process(CODE_SERVER_PROGRAM, arguments)
{
}

iso8583_host_process::iso8583_host_process(const std::vector<std::string>& arguments)
    : server_process(ISO8583_HOST_PROGRAM, arguments)
{
}

std::uint16_t port_in(std::string_view line)
{
    const auto place = line.find("listening on ");
    const auto colon = line.rfind(':');
    std::uint16_t port = 0;
    if (place < colon && colon != std::string_view::npos)
        std::from_chars(line.data() + colon + 1, line.data() + line.size(), port);
    if (port == 0)
        throw std::runtime_error("no port in '" + std::string(line) + "'");
    return port;
}

std::size_t number_before(std::string_view what, std::string_view summary)
{
    const auto end = summary.find(what);
    if (end == std::string_view::npos || end == 0)
        throw std::runtime_error("no '" + std::string(what) + "' in '" + std::string(summary) + "'");
    const auto begin = summary.find_last_not_of("0123456789", end - 1) + 1;
    return std::stoul(std::string(summary.substr(begin, end - begin)));
}

void wait_until(const std::function<bool()>& condition)
{
    for (const auto deadline = clock::now() + patience; !condition(); std::this_thread::sleep_for(1ms))
        if (clock::now() > deadline)
            throw std::runtime_error("it did not come to pass in time");
}

} // namespace causeway::test

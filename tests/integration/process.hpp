// The programs as a user starts them: with arguments, and with their output and exit status.
#pragma once

#include "blocking.hpp"

#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace causeway::test {

/// A started program. Its output is read continuously, so it never waits for its reader. It does not outlive this
/// object, nor the thread that constructed it: the kernel kills it when that thread ends, in whatever way.
class process {
public:
    /// Starts the executable at `path`; throws when that fails. It gets `environment`, in lines of the form NAME=value,
    /// and this process's environment without the variables that would configure it.
    process(const std::string& path, const std::vector<std::string>& arguments,
            const std::vector<std::string>& environment = {});

    /// Kills it if it still runs.
    ~process();
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    /// Blocks until the program has printed `times` lines that contain `text` on one of its streams, and returns the
    /// last of them without its line feed. Throws, with all output, when the program or `patience` ends before that.
    std::string wait_for_line(std::string_view text, std::size_t times = 1);

    /// The process, for the system.
    int id() const noexcept { return id_; }

    /// The resources that it uses while it runs: resident memory, memory for its data, resident or not (proc(5), VmRSS,
    /// VmData), open file descriptors.
    std::size_t resident_kibibytes() const { return kibibytes("VmRSS:"); }
    std::size_t data_kibibytes() const { return kibibytes("VmData:"); }
    std::size_t open_descriptors() const;

    /// Sends it a signal, SIGTERM for example.
    void signal(int number);

    /// Blocks until it has ended and returns its exit status, or 128 plus the number of the signal that ended it, as a
    /// shell does. Throws, with all output, when `patience` ends before that.
    int wait();

    /// Its output so far; all of it after `wait`.
    std::string standard_output() const;
    std::string standard_error() const;
    std::string output() const; ///< both, the standard output first

private:
    std::size_t kibibytes(std::string_view what) const;
    void read_output(descriptor output, descriptor error);

    int id_ = -1;
    int status_ = -1; // once it has ended and was waited for
    bool waited_for_ = false;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string output_;
    std::string error_;
    bool all_read_ = false;
    std::jthread reader_;
};

/// A program that says where it listens.
class server_process : public process {
public:
    using process::process;

    /// The port that it listens on, as soon as it says so.
    std::uint16_t port();

    /// 127.0.0.1 and this port, for a server that listens there.
    std::string address();
};

/// The same arguments, with `--admin=off` unless they set it: all tests would share the default address.
std::vector<std::string> without_admin_pages(std::vector<std::string> arguments);

/// The programs of this project, with these arguments; the bridge `without_admin_pages`.
struct causeway_process : server_process {
    explicit causeway_process(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment = {});

    /// The port of its admin pages, as soon as it says so.
    std::uint16_t admin_port();
};

/// The bridge, for which `hosts`, a file like /etc/hosts, says what names stand for. Only where `names_can_be_changed`,
/// which is not in every container.
struct causeway_with_hosts : server_process {
    causeway_with_hosts(const std::string& hosts, const std::vector<std::string>& arguments);
};
bool names_can_be_changed(); ///< see above

struct code_server_process : server_process {
    explicit code_server_process(const std::vector<std::string>& arguments);
};
struct iso8583_host_process : server_process {
    explicit iso8583_host_process(const std::vector<std::string>& arguments);
};

/// The port in `listening on http://HOST:PORT` or `listening on HOST:PORT` in `line`. Throws when there is none.
std::uint16_t port_in(std::string_view line);

/// The number in front of `what` in a line of the log. Throws when there is none.
std::size_t number_before(std::string_view what, std::string_view line);

/// Polls `condition` and returns when it holds: for conditions that nothing signals. Throws when it never holds.
void wait_until(const std::function<bool()>& condition);

} // namespace causeway::test

// The command lines of the two programs.
#pragma once

#include "net/host_port.hpp"

#include <spdlog/common.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::service {

/// Where an operator can look at the process.
struct admin_address {
    net::host_port place;
    bool if_free = false; ///< that it is in use is no error

    friend bool operator==(const admin_address&, const admin_address&) = default;
};

/// What `causeway` was asked to do. The defaults stand in one place, in settings.cpp.
struct bridge_settings {
    net::host_port listen;
    std::vector<net::host_port> upstreams; ///< empty: start the code server in this process and use that
    std::chrono::nanoseconds reply_timeout{};
    std::chrono::nanoseconds reconnect_max{};
    std::size_t upstream_window = 0;
    bool coalesce = false;
    std::size_t max_pending = 0;
    std::size_t max_connections = 0;
    std::chrono::nanoseconds idle_timeout{};
    std::chrono::nanoseconds write_timeout{};
    std::size_t threads = 0;
    bool share_port = false;
    std::chrono::nanoseconds drain_timeout{};
    std::optional<admin_address> admin; ///< nothing: nowhere
    spdlog::level::level_enum log_level{};
};

/// What `code-server` was asked to do.
struct code_server_settings {
    net::host_port listen;
    std::chrono::nanoseconds bind_retry{};
    spdlog::level::level_enum log_level{};
};

/// `--help` or `--version`: print this on standard output and end with status 0.
struct information {
    std::string text;
};

/// The command line makes no sense: print this line on standard error and end with status 2.
struct usage_error {
    std::string text;
};

template <class Settings>
using parsed = std::variant<Settings, information, usage_error>;

/// Read a command line as `main` gets it. Nothing is thrown for wrong usage.
parsed<bridge_settings> parse_bridge_options(int argc, const char* const* argv);
parsed<code_server_settings> parse_code_server_options(int argc, const char* const* argv);

/// A duration as a person writes it: a whole number and `ms`, `s`, `m` or `h`; up to 1000 hours. Nothing of any other
/// text.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

} // namespace causeway::service

// The settings of the programs, and how they are parsed.
#pragma once

#include "net/host_port.hpp"
#include "net/tls.hpp"
#include "protocols/iso8583/frame.hpp"
#include "protocols/iso8583/matching.hpp"
#include "service/configuration.hpp"
#include "service/process_log.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace causeway::service {

/// Where the admin pages are served.
struct admin_address {
    net::host_port place;
    bool if_free = false; ///< an address in use is not an error

    friend bool operator==(const admin_address&, const admin_address&) = default;
};

/// How ISO 8583 messages are written.
struct iso8583_wire {
    std::string dialect; ///< the name of a built-in one, or a file
    iso8583::framing framing;

    friend bool operator==(const iso8583_wire&, const iso8583_wire&) = default;
};

/// How to speak ISO 8583 with a host.
struct iso8583_settings {
    iso8583_wire wire;
    iso8583::key_fields key_fields;
    bool signs_on = false;
    std::chrono::nanoseconds late_replies{};
    std::chrono::nanoseconds echo_after{};

    friend bool operator==(const iso8583_settings&, const iso8583_settings&) = default;
};

/// What the upstreams speak.
enum class protocol_name { codes, iso8583 };

/// The settings of `causeway`. The defaults are in one place, settings.cpp.
struct bridge_settings {
    net::host_port listen;
    protocol_name protocol{};
    std::vector<net::host_port> upstreams; ///< empty: start a server of the protocol in this process and use that
    iso8583_settings iso8583;
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
    std::chrono::nanoseconds drain_delay{};
    std::chrono::nanoseconds drain_timeout{};
    net::server_tls tls; ///< no certificate: plain HTTP
    bool upstream_tls = false;
    net::client_tls upstream_trust;
    std::string upstream_tls_name;      ///< empty: the host of each upstream
    std::optional<admin_address> admin; ///< nothing: nowhere
    std::string access_log;             ///< a file, or `-` for the standard output; empty: none
    log_settings log;
};

/// The settings of `code-server`.
struct code_server_settings {
    net::host_port listen;
    std::chrono::nanoseconds bind_retry{};
    log_settings log;
};

/// The settings of `iso8583-host`.
struct iso8583_host_settings {
    net::host_port listen;
    std::chrono::nanoseconds bind_retry{};
    iso8583_wire wire;
    log_settings log;
};

/// The options that fill in `settings`, which outlives them.
std::vector<option> options_of(bridge_settings& settings);
std::vector<option> options_of(code_server_settings& settings);
std::vector<option> options_of(iso8583_host_settings& settings);

/// What a program was started with, as `main` gets it; `environment` ends with a null pointer.
struct invocation {
    int argc = 0;
    const char* const* argv = nullptr;
    const char* const* environment = nullptr;
};

/// Settings, and the assignments that they were made from.
template <class Settings>
struct configured {
    Settings settings;
    assignments in_force;
};

/// `--help`, `--version` or `--check-config`: print this on standard output and exit with status 0.
struct information {
    std::string text;
};

/// Wrong usage: print each of these as a line on standard error and exit with status 2.
struct usage_error {
    std::vector<std::string> errors;
};

template <class Settings>
using parsed = std::variant<configured<Settings>, information, usage_error>;

/// Read the command line, the environment, and the file that `--config` names. The command line takes precedence over
/// the environment, and the environment over the file. Wrong usage throws nothing.
parsed<bridge_settings> parse_bridge_options(const invocation& call);
parsed<code_server_settings> parse_code_server_options(const invocation& call);
parsed<iso8583_host_settings> parse_iso8583_host_options(const invocation& call);

} // namespace causeway::service

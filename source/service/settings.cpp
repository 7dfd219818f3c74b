#include "service/settings.hpp"

#include "service/regular_file.hpp"
#include "service/value_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace causeway::service {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// Adds an option that is used when the program starts.
template <class Value>
option& add(std::vector<option>& all, const char* name, const value_kind<Value>& kind, const std::string& by_default,
            const char* meaning, Value& setting)
{
    const auto take = [read = kind.read, advice = kind.advice, &setting](const std::string& text) {
        auto value = read(text);
        if (!value)
            return advice;
        setting = *std::move(value);
        return static_cast<const char*>(nullptr);
    };
    all.push_back({name, kind.name, by_default, meaning, take});
    return all.back();
}

// Adds an option whose change a running program applies.
template <class Value>
void add_live(std::vector<option>& all, const char* name, const value_kind<Value>& kind, const std::string& by_default,
              const char* meaning, Value& setting)
{
    add(all, name, kind, by_default, meaning, setting).at_once = true;
}

template <class Value>
void add_repeatable(std::vector<option>& all, const char* name, const value_kind<Value>& kind, const char* meaning,
                    std::vector<Value>& settings)
{
    const auto take = [read = kind.read, advice = kind.advice, &settings](const std::string& text) {
        auto value = read(text);
        if (!value)
            return advice;
        settings.push_back(*std::move(value));
        return static_cast<const char*>(nullptr);
    };
    all.push_back({name, kind.name, "", meaning, take, true});
}

void add_log(std::vector<option>& all, log_settings& log)
{
    add_live(all, "log-level", kinds::log_level, "info", "trace, debug, info, warning or error", log.level);
    add_live(all, "log-format", kinds::format_of_log, "text", "text or json, one object per line", log.format);
    add_live(all, "log-file", kinds::path, "", "append the log to a file instead of standard error; SIGHUP reopens it",
             log.file);
}

// Where a backend server listens.
template <class Settings>
void add_listen(std::vector<option>& all, const char* by_default, Settings& settings)
{
    add(all, "listen", kinds::place, by_default, "where clients connect; port 0 picks a free port", settings.listen);
    add(all, "bind-retry", kinds::positive_duration, "5s", "pause before retrying an address that is in use",
        settings.bind_retry);
}

void add_iso8583_wire(std::vector<option>& all, iso8583_wire& wire)
{
    add(all, "iso8583-spec", kinds::name_or_path, "postilion",
        "the dialect: postilion, iso8583-1987-ascii, or a JSON file that describes another", wire.dialect);
    add(all, "iso8583-frame", kinds::length_form, "binary2",
        "the length in front of each message: binary2, binary4, ascii4 or bcd2", wire.framing.form);
    add(all, "iso8583-header", kinds::header, "", "bytes between the length and each message", wire.framing.header);
    add(all, "iso8583-frame-includes-itself", kinds::named, "false", "the length counts its own bytes too",
        wire.framing.includes_itself);
}

void add_iso8583(std::vector<option>& all, iso8583_settings& settings)
{
    add_iso8583_wire(all, settings.wire);
    add(all, "iso8583-key", kinds::key_fields, "7,11", "the fields that a reply has in common with its request",
        settings.key_fields);
    add(all, "iso8583-late", kinds::positive_duration, "120s",
        "how long after a timeout no other request may use the same key", settings.late_replies);
    add(all, "iso8583-sign-on", kinds::on_or_off, "on", "whether to sign on to the host before the first request",
        settings.signs_on);
    add(all, "iso8583-echo", kinds::duration, "30s",
        "how long a connection may be quiet before an echo test; 0s for never", settings.echo_after);
}

// While a change of `leader` waits for a restart, changes of these wait too.
void add_together(std::vector<option>& all, std::vector<option> group, std::string_view leader)
{
    for (auto& each : group) {
        each.goes_with = leader;
        all.push_back(std::move(each));
    }
}

// How to speak with clients; this must never take effect on another address than it was meant for.
void add_tls(std::vector<option>& all, bridge_settings& settings)
{
    std::vector<option> group;
    add_live(group, "tls-certificate", kinds::path, "",
             "speak TLS with clients, with this certificate (PEM, followed by its chain)", settings.tls.certificate);
    add_live(group, "tls-private-key", kinds::path, "", "the key of --tls-certificate (PEM, without a passphrase)",
             settings.tls.private_key);
    add_live(group, "tls-client-ca", kinds::path, "",
             "admit only clients with a certificate signed by one of these (PEM)", settings.tls.client_ca);
    add_together(all, std::move(group), "listen");
}

// How to speak to the upstreams; this must never take effect for other upstreams than it was meant for.
void add_upstream_tls(std::vector<option>& all, bridge_settings& settings)
{
    std::vector<option> group;
    add_live(group, "upstream-tls", kinds::named, "false",
             "speak TLS with the upstreams, and verify their certificates", settings.upstream_tls);
    add_live(group, "upstream-ca", kinds::path, "",
             "the CA certificates to verify them with (PEM), instead of the system's", settings.upstream_trust.ca);
    add_live(group, "upstream-tls-name", kinds::server_name, "",
             "the name that they must be valid for, instead of the host of --upstream", settings.upstream_tls_name);
    add_live(group, "upstream-certificate", kinds::path, "", "a client certificate for the upstreams (PEM)",
             settings.upstream_trust.certificate);
    add_live(group, "upstream-private-key", kinds::path, "",
             "the key of --upstream-certificate (PEM, without a passphrase)", settings.upstream_trust.private_key);
    add_together(all, std::move(group), "upstream");
}

template <class Settings>
Settings default_settings()
{
    Settings scratch;
    return settings_from<Settings>(in_force({}, options_of(scratch)));
}

// Options that contradict each other.
std::vector<std::string> contradictions_in(const bridge_settings& settings)
{
    const auto& [certificate, private_key, client_ca] = settings.tls;
    const auto& trust = settings.upstream_trust;
    const bool says_how = trust != net::client_tls{} || !settings.upstream_tls_name.empty();
    std::vector<std::string> all;
    if (certificate.empty() != private_key.empty())
        all.emplace_back("--tls-certificate and --tls-private-key go together: give both or none");
    if (!client_ca.empty() && certificate.empty())
        all.emplace_back("--tls-client-ca needs --tls-certificate");
    if (trust.certificate.empty() != trust.private_key.empty())
        all.emplace_back("--upstream-certificate and --upstream-private-key go together: give both or none");
    if (says_how && !settings.upstream_tls)
        all.emplace_back("--upstream-ca, --upstream-tls-name and --upstream-certificate need --upstream-tls");
    if (settings.upstream_tls && settings.upstreams.empty())
        all.emplace_back("--upstream-tls needs --upstream: the embedded server does not speak TLS");
    if (settings.protocol != protocol_name::iso8583 && settings.iso8583 != default_settings<bridge_settings>().iso8583)
        all.emplace_back("the options that begin with --iso8583- need --protocol=iso8583");
    if (settings.protocol == protocol_name::iso8583 && settings.threads > 1)
        all.emplace_back("--threads above 1 needs --protocol=codes: only a thread that sees all payments can detect "
                         "that one is made twice at the same time");
    if (settings.protocol == protocol_name::iso8583 && settings.coalesce)
        all.emplace_back("--coalesce needs --protocol=codes: a payment is never shared");
    return all;
}

std::vector<std::string> contradictions_in(const code_server_settings&) { return {}; }
std::vector<std::string> contradictions_in(const iso8583_host_settings&) { return {}; }

// Only one thread knows which keys are in use, and a host may allow only one connection.
void adapt_defaults(assignments& all, const bridge_settings& settings)
{
    const auto threads = std::ranges::find(all, "threads", &assignment::name);
    if (settings.protocol == protocol_name::iso8583 && threads->origin == "default")
        threads->value = "1";
}

void adapt_defaults(assignments&, const code_server_settings&) {}
void adapt_defaults(assignments&, const iso8583_host_settings&) {}

struct program {
    const char* name;
    const char* purpose;
    const char* variables; // what their names in the environment begin with
};

constexpr program bridge{"causeway", "lets HTTP clients talk to a server that speaks a stream of TCP messages",
                         "CAUSEWAY_"};

// CODE_SERVER_ belongs to an editor of that name, which sets such variables in its terminals.
constexpr program code_server{"code-server", "a TCP server that explains HTTP status codes", "CODESERVER_"};

constexpr program iso8583_host{"iso8583-host", "an emulated payment host that speaks ISO 8583", "ISO8583_HOST_"};

assignments read_file_at(const std::optional<std::string>& name, std::vector<std::string>& errors)
try {
    if (!name)
        return {};
    std::istringstream text(text_of_regular_file(*name));
    return read_file(text, *name, errors);
} catch (const std::runtime_error& error) {
    errors.push_back(fmt::format("cannot read --config {}: {}", *name, error.what()));
    return {};
}

// Finds all errors, even in values that others override.
template <class Settings>
std::variant<assignments, information, usage_error> read_all(const program& program, const invocation& call)
{
    Settings scratch;
    const auto options = options_of(scratch);
    const auto said = read_command_line(call.argc, call.argv, options);
    if (!said.error.empty())
        return usage_error{{said.error}};
    if (said.help)
        return information{
            fmt::format("{0}: {1}\n\nUsage: {0} [OPTION]...\n\n{2}", program.name, program.purpose, list_of(options))};
    if (said.version)
        return information{fmt::format("{} {}\n", program.name, CAUSEWAY_VERSION)};

    std::vector<std::string> errors;
    const std::array sources{said.given, read_environment(call.environment, program.variables, options),
                             read_file_at(said.config, errors)};
    for (const auto& source : sources)
        std::ranges::move(errors_in(source, options), std::back_inserter(errors));
    if (!errors.empty())
        return usage_error{std::move(errors)};
    auto all = in_force(sources, options);
    adapt_defaults(all, settings_from<Settings>(all));
    errors = contradictions_in(settings_from<Settings>(all));
    if (!errors.empty())
        return usage_error{std::move(errors)};
    if (said.check_config)
        return information{to_file(all, options)};
    return all;
}

template <class Settings>
parsed<Settings> parse(const program& program, const invocation& call)
{
    auto read = read_all<Settings>(program, call);
    if (auto* text = std::get_if<information>(&read))
        return std::move(*text);
    if (auto* wrong = std::get_if<usage_error>(&read))
        return std::move(*wrong);
    auto& all = std::get<assignments>(read);
    return configured<Settings>{settings_from<Settings>(all), std::move(all)};
}

} // namespace

std::vector<option> options_of(bridge_settings& settings)
{
    const auto cores = std::to_string(std::max(1U, std::thread::hardware_concurrency()));
    std::vector<option> all;
    add(all, "listen", kinds::place, "127.0.0.1:8090", "where HTTP clients connect; port 0 picks a free port",
        settings.listen);
    add(all, "protocol", kinds::protocol, "codes", "what the upstreams speak: codes or iso8583", settings.protocol);
    add_repeatable(all, "upstream", kinds::target,
                   "the TCP backend; may be repeated. Without it one is started in this process: a code server on "
                   "127.0.0.1:9670, or a payment host on 127.0.0.1:9583",
                   settings.upstreams);
    add_live(all, "reply-timeout", kinds::positive_duration, "2s", "how long a request may wait for its reply in all",
             settings.reply_timeout);
    add_live(all, "reconnect-max", kinds::positive_duration, "3s", "longest pause between two connection attempts",
             settings.reconnect_max);
    add_live(all, "upstream-window", kinds::count, "1024",
             "most messages in flight per upstream connection; others wait their turn. 1 suits a backend that "
             "treats each TCP segment as one message",
             settings.upstream_window);
    add(all, "coalesce", kinds::named, "false", "requests that wait for the same code share one message and its reply",
        settings.coalesce);
    add_live(all, "max-pending", kinds::count, "65536", "most requests waiting at once; further ones get 503",
             settings.max_pending);
    add_live(all, "max-connections", kinds::count, "16384",
             "most HTTP connections at once; others wait in the listen queue", settings.max_connections);
    add_live(all, "idle-timeout", kinds::positive_duration, "60s",
             "how long a connection may stay open between two requests", settings.idle_timeout);
    add_live(all, "write-timeout", kinds::positive_duration, "10s", "how long a client may take to read its answer",
             settings.write_timeout);
    add(all, "threads", kinds::thread_count, cores,
        "event loops, each on its own thread and with its own connection to each upstream", settings.threads)
        .default_in_words = "the number of cores; with iso8583 1, and no more";
    add(all, "share-port", kinds::named, "false",
        "start even if another Causeway serves this port, for a rolling restart", settings.share_port);
    add_live(all, "drain-delay", kinds::duration, "0s",
             "how long after SIGTERM everything is served while /readyz fails, before the drain", settings.drain_delay);
    add_live(all, "drain-timeout", kinds::duration, "10s", "how long the drain waits for requests in flight",
             settings.drain_timeout);
    add(all, "admin", kinds::admin_place, "127.0.0.1:8091 if free",
        "where the live page, /metrics, /healthz and /readyz are served; port 0 picks a free port", settings.admin);
    add_tls(all, settings);
    add_upstream_tls(all, settings);
    add_iso8583(all, settings.iso8583);
    add_log(all, settings.log);
    add_live(all, "access-log", kinds::path_or_dash, "",
             "append a line for each request to a file, or to the standard output; SIGHUP reopens the file",
             settings.access_log);
    return all;
}

std::vector<option> options_of(code_server_settings& settings)
{
    std::vector<option> all;
    add_listen(all, "127.0.0.1:9670", settings);
    add_log(all, settings.log);
    return all;
}

std::vector<option> options_of(iso8583_host_settings& settings)
{
    std::vector<option> all;
    add_listen(all, "127.0.0.1:9583", settings);
    add_iso8583_wire(all, settings.wire);
    add_log(all, settings.log);
    return all;
}

parsed<bridge_settings> parse_bridge_options(const invocation& call) { return parse<bridge_settings>(bridge, call); }

parsed<code_server_settings> parse_code_server_options(const invocation& call)
{
    return parse<code_server_settings>(code_server, call);
}

parsed<iso8583_host_settings> parse_iso8583_host_options(const invocation& call)
{
    return parse<iso8583_host_settings>(iso8583_host, call);
}

} // namespace causeway::service

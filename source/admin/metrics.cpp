#include "admin/metrics.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace causeway::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

double in_seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

// A metric with its samples.
class family {
public:
    family(MetricType type, std::string name, std::string help)
        : family_{std::move(name), std::move(help), type, {}}
    {
    }

    template <class Number>
    family& add(Number value, labels of_sample = {})
    {
        auto& sample = family_.metric.emplace_back();
        sample.label = std::move(of_sample);
        sample.counter.value = sample.gauge.value = static_cast<double>(value); // the type says which of them is shown
        return *this;
    }

    // No sample says that the value is unknown; 0 would say something else.
    void add_known(const std::optional<double>& value)
    {
        if (value)
            add(*value);
    }

    // The buckets are cumulative, and the last has no bound.
    family& add(const upstream::histogram& histogram)
    {
        auto& sample = family_.metric.emplace_back().histogram;
        std::uint64_t count = 0;
        for (std::size_t i = 0; i != histogram.size(); ++i) {
            count += histogram.count(i);
            sample.bucket.push_back({count, in_seconds(histogram.bound(i))});
        }
        count += histogram.count(histogram.size());
        sample.bucket.push_back({count, std::numeric_limits<double>::infinity()});
        sample.sample_count = count;
        sample.sample_sum = in_seconds(histogram.sum());
        return *this;
    }

    prometheus::MetricFamily take() { return std::move(family_); }

private:
    prometheus::MetricFamily family_;
};

using families = std::deque<family>; // in which a family stays where it is when another is added

family& counter(families& all, std::string name, std::string help)
{
    return all.emplace_back(MetricType::Counter, std::move(name), std::move(help));
}

family& gauge(families& all, std::string name, std::string help)
{
    return all.emplace_back(MetricType::Gauge, std::move(name), std::move(help));
}

family& histogram(families& all, std::string name, std::string help)
{
    return all.emplace_back(MetricType::Histogram, std::move(name), std::move(help));
}

void add_process(const facts& facts, const report& report, const process_figures& process, families& all)
{
    gauge(all, "causeway_build_info", "1, with the version of the program.").add(1, {{"version", facts.version}});
    gauge(all, "causeway_draining", "1 from the signal to stop on, else 0.").add(report.draining ? 1 : 0);
    gauge(all, "causeway_event_loops", "Event loops, each on a thread of its own.").add(report.loops);
    gauge(all, "causeway_event_loops_responding",
          "Event loops that answered this scrape in time; of the others it shows the last figures known.")
        .add(report.loops_responding);
    counter(all, "causeway_log_lines_lost_total", "Lines of the log that nobody read in time.")
        .add(report.log_lines_lost);
    counter(all, "causeway_access_log_lines_lost_total", "Lines of the access log that could not be written in time.")
        .add(report.sum.access_lines_lost);
    counter(all, "causeway_reloads_total", "Times that the settings were read again.").add(report.reloads.reloads);
    gauge(all, "causeway_last_reload_successful", "1 when the last of them had no error, else 0.")
        .add(report.reloads.last_succeeded ? 1 : 0);
    gauge(all, "causeway_last_reload_success_time_seconds",
          "When the last one without an error was, or the start, in seconds since 1970.")
        .add(in_seconds(report.reloads.last.time_since_epoch()));
    if (report.certificate_expiry)
        gauge(all, "causeway_tls_certificate_expiry_time_seconds",
              "When the certificate for clients expires, in seconds since 1970.")
            .add(in_seconds(report.certificate_expiry->time_since_epoch()));
    gauge(all, "process_start_time_seconds", "When the process started, in seconds since 1970.")
        .add(in_seconds(facts.started.time_since_epoch()));
    counter(all, "process_cpu_seconds_total", "Processor time used, in seconds.").add_known(process.cpu_seconds);
    gauge(all, "process_resident_memory_bytes", "Memory in use, in bytes.").add_known(process.resident_bytes);
    gauge(all, "process_virtual_memory_bytes", "Address space in use, in bytes.").add_known(process.virtual_bytes);
    gauge(all, "process_open_fds", "Open files and sockets.").add_known(process.open_files);
    gauge(all, "process_max_fds", "Most files and sockets that may be open.").add_known(process.most_files);
}

void add_http(const report& report, families& all)
{
    const auto& http = report.sum.http;
    gauge(all, "causeway_http_connections", "Open connections of HTTP clients.").add(report.connections);
    gauge(all, "causeway_http_connections_limit",
          "Most connections of HTTP clients; further ones wait in the listen queue.")
        .add(report.connections_limit);
    counter(all, "causeway_http_connections_accepted_total", "Connections accepted from HTTP clients.")
        .add(http.accepted);
    counter(all, "causeway_http_accept_failures_total",
            "Attempts to accept a connection that failed, such as for too many open files.")
        .add(http.accept_failures);
    counter(all, "causeway_http_session_failures_total", "Connections that ended with an internal error.")
        .add(http.session_failures);
    counter(all, "causeway_tls_handshake_failures_total", "Connections that came to no TLS session.")
        .add(http.handshake_failures);
    counter(all, "causeway_http_request_failures_total", "Requests answered with 500 for an internal error.")
        .add(http.request_failures);
    auto& responses = counter(all, "causeway_http_responses_total", "Answers to HTTP clients, by status.");
    for (std::size_t status = 0; status != http.responses.size(); ++status)
        if (http.responses[status] != 0)
            responses.add(http.responses[status], {{"status", std::to_string(status)}});
}

void add_requests(const report& report, families& all)
{
    const auto& upstream = report.sum.upstream;
    const auto& requests = upstream.requests;
    const auto& waiting = upstream.waiting;
    counter(all, "causeway_requests_received_total",
            "Requests for an upstream: each has one of the outcomes, or waits.")
        .add(requests.received);
    auto& by_outcome = counter(all, "causeway_requests_total", "Requests for an upstream that have ended, by outcome.");
    for (const auto& [outcome, count] : requests.by_outcome())
        by_outcome.add(count, {{"outcome", std::string(outcome)}});
    gauge(all, "causeway_requests_waiting", "Requests for an upstream that wait, by where they do.")
        .add(waiting.backlog, {{"state", "backlog"}})
        .add(waiting.suspects, {{"state", "suspect"}})
        .add(waiting.outbox, {{"state", "outbox"}})
        .add(waiting.wire, {{"state", "wire"}})
        .add(waiting.shared, {{"state", "shared"}});
    gauge(all, "causeway_requests_waiting_limit", "Most requests that wait; further ones are refused.")
        .add(report.waiting_limit);
    gauge(all, "causeway_oldest_waiting_seconds",
          "How long the request has waited that has waited longest; 0 when none waits.")
        .add(in_seconds(upstream.oldest_waiting));
    histogram(all, "causeway_request_duration_seconds",
              "Time from a request to its outcome, without those that were refused at once.")
        .add(upstream.request_durations);
    histogram(all, "causeway_upstream_reply_duration_seconds", "Time from the last writing of a message to its reply.")
        .add(upstream.reply_durations);
    gauge(all, "causeway_upstream_window", "Most messages on their way on one upstream connection.")
        .add(report.upstream_window);
}

void add_upstreams(const facts& facts, const report& report, families& all)
{
    auto& up = gauge(all, "causeway_upstream_up", "Event loops that have a connection to the upstream that works.");
    auto& connects = counter(all, "causeway_upstream_connects_total", "Connections made to the upstream.");
    auto& failures = counter(all, "causeway_upstream_connect_failures_total", "Attempts to connect that failed.");
    auto& disconnects = counter(all, "causeway_upstream_disconnects_total", "Connections that have ended, by reason.");
    auto& replies =
        counter(all, "causeway_upstream_replies_total", "Messages of the upstream, by what became of them.");
    auto& unfinished = counter(all, "causeway_upstream_unfinished_messages_total",
                               "Times that a message was found whose end did not come.");
    auto& rewritten = counter(all, "causeway_upstream_rewritten_total",
                              "Messages to be written again, because their connection was lost or did not answer while "
                              "another began to.");
    // One that is named several times in the settings is as many upstreams, with one name.
    std::map<std::string, upstream::upstream_figures> by_name;
    for (std::size_t i = 0; i != facts.upstreams.size(); ++i)
        by_name[facts.upstreams[i]] += report.sum.upstream.upstreams.at(i);
    for (const auto& [name, figures] : by_name) {
        const auto& counts = figures.counts;
        const auto of_this = [&, &label = name](labels more = {}) {
            more.insert(more.begin(), {"upstream", label});
            return more;
        };
        up.add(figures.up, of_this());
        connects.add(counts.connects, of_this());
        failures.add(counts.connect_failures, of_this());
        for (std::size_t reason = 0; reason != counts.disconnects.size(); ++reason)
            disconnects.add(counts.disconnects[reason],
                            of_this({{"reason", std::string(upstream::disconnect_names[reason])}}));
        replies.add(counts.replies - counts.dropped, of_this({{"result", "delivered"}}));
        replies.add(counts.dropped, of_this({{"result", "late"}}));
        replies.add(counts.unreadable, of_this({{"result", "unreadable"}}));
        unfinished.add(counts.unfinished, of_this());
        rewritten.add(counts.rewritten, of_this());
    }
}

} // namespace

std::string metrics_text(const facts& facts, const report& report, const process_figures& process)
{
    families all;
    add_process(facts, report, process, all);
    add_http(report, all);
    add_requests(report, all);
    add_upstreams(facts, report, all);
    std::vector<prometheus::MetricFamily> taken;
    for (auto& family : all)
        taken.push_back(family.take());
    return prometheus::TextSerializer().Serialize(taken);
}

} // namespace causeway::admin

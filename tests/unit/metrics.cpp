#include "admin/metrics.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace admin = causeway::admin;
namespace upstream = causeway::upstream;
using namespace std::chrono_literals;

struct fixture {
    admin::facts facts{.version = "1.2.3", .upstreams = {"one:1", "[::1]:2"}};
    admin::report report;
    admin::process_figures process{
        .cpu_seconds = 1, .virtual_bytes = 2, .resident_bytes = 3, .open_files = 4, .most_files = 5};

    fixture()
    {
        report.sum.upstream.upstreams.resize(facts.upstreams.size());
        report.sum.upstream.request_durations = upstream::histogram(1ms);
        report.sum.upstream.reply_durations = upstream::histogram(1ms);
    }

    std::vector<std::string> lines() const
    {
        std::istringstream text(metrics_text(facts, report, process));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(line);
        return lines;
    }

    bool says(const std::string& line) const
    {
        const auto all = lines();
        return std::ranges::find(all, line) != all.end();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(metrics, fixture)

BOOST_AUTO_TEST_CASE(each_metric_has_a_help_and_a_type_and_each_counter_is_a_total)
{
    std::set<std::string> helped;
    std::set<std::string> typed;
    std::set<std::string> sampled;
    static const std::regex help("# HELP ([a-z_]+) [A-Z0-9].*\\.");
    static const std::regex type("# TYPE ([a-z_]+) (counter|gauge|histogram)");
    static const std::regex sample("([a-z_]+?)(_bucket|_sum|_count)?(\\{.*\\})? \\S+");
    std::smatch parts;
    report.sum.http.responses[200] = 1;
    for (const auto& line : lines()) {
        if (std::regex_match(line, parts, help))
            helped.insert(parts[1]);
        else if (std::regex_match(line, parts, type)) {
            typed.insert(parts[1]);
            BOOST_TEST((parts[2] == "counter") == std::string(parts[1]).ends_with("_total"), line);
        } else if (std::regex_match(line, parts, sample))
            sampled.insert(parts[1]);
        else
            BOOST_ERROR("what is this? " << line);
    }
    BOOST_TEST(helped == typed, boost::test_tools::per_element());
    BOOST_TEST(sampled == typed, boost::test_tools::per_element());
    BOOST_TEST(typed.size() > 30U);
}

BOOST_AUTO_TEST_CASE(what_is_set_is_told)
{
    BOOST_TEST(says(R"(causeway_build_info{version="1.2.3"} 1)"));
    report.upstream_window = 7;
    report.connections_limit = 8;
    report.waiting_limit = 9;
    report.reloads = {10, false, std::chrono::system_clock::time_point(11s)};
    report.certificate_expiry = std::chrono::system_clock::time_point(12s);
    report.sum.http.handshake_failures = 13;
    BOOST_TEST(says("causeway_reloads_total 10"));
    BOOST_TEST(says("causeway_last_reload_successful 0"));
    BOOST_TEST(says("causeway_last_reload_success_time_seconds 11"));
    BOOST_TEST(says("causeway_tls_certificate_expiry_time_seconds 12"));
    BOOST_TEST(says("causeway_tls_handshake_failures_total 13"));
    BOOST_TEST(says("causeway_upstream_window 7"));
    BOOST_TEST(says("causeway_http_connections_limit 8"));
    BOOST_TEST(says("causeway_requests_waiting_limit 9"));
}

BOOST_AUTO_TEST_CASE(what_is_known_of_the_process_is_told_and_what_is_unknown_is_left_out)
{
    facts.started = std::chrono::system_clock::time_point(1'700'000'000s);
    BOOST_TEST(says("process_start_time_seconds 1700000000"));
    BOOST_TEST(says("process_cpu_seconds_total 1"));
    BOOST_TEST(says("process_virtual_memory_bytes 2"));
    BOOST_TEST(says("process_resident_memory_bytes 3"));
    BOOST_TEST(says("process_open_fds 4"));
    BOOST_TEST(says("process_max_fds 5"));
    process.open_files.reset();
    for (const auto& line : lines())
        BOOST_TEST(!line.starts_with("process_open_fds"));
}

BOOST_AUTO_TEST_CASE(each_outcome_has_its_count)
{
    report.sum.upstream.requests = {.received = 45,
                                    .replied = 1,
                                    .timed_out = 2,
                                    .abandoned = 3,
                                    .unavailable = 4,
                                    .overloaded = 5,
                                    .lost = 6,
                                    .duplicates = 7,
                                    .stopped = 8};
    BOOST_TEST(report.sum.upstream.requests.ended() == 36U);
    BOOST_TEST(says("causeway_requests_received_total 45"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="reply"} 1)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="timed_out"} 2)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="abandoned"} 3)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="unavailable"} 4)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="overloaded"} 5)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="connection_lost"} 6)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="duplicate"} 7)"));
    BOOST_TEST(says(R"(causeway_requests_total{outcome="stopped"} 8)"));
}

BOOST_AUTO_TEST_CASE(waiting_requests_are_counted_by_where_they_wait)
{
    report.sum.upstream.waiting = {.backlog = 1, .suspects = 2, .outbox = 3, .wire = 4, .shared = 5};
    report.sum.upstream.oldest_waiting = 1500ms;
    BOOST_TEST(says(R"(causeway_requests_waiting{state="backlog"} 1)"));
    BOOST_TEST(says(R"(causeway_requests_waiting{state="suspect"} 2)"));
    BOOST_TEST(says(R"(causeway_requests_waiting{state="outbox"} 3)"));
    BOOST_TEST(says(R"(causeway_requests_waiting{state="wire"} 4)"));
    BOOST_TEST(says(R"(causeway_requests_waiting{state="shared"} 5)"));
    BOOST_TEST(says("causeway_oldest_waiting_seconds 1.5"));
}

BOOST_AUTO_TEST_CASE(the_buckets_of_a_histogram_are_cumulative)
{
    auto& durations = report.sum.upstream.request_durations;
    for (const auto took : {50us, 400us, 450us, 900us, 7'000'000us})
        durations.add(took);
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="0.0001"} 1)"));
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="0.00025"} 1)"));
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="0.0005"} 3)"));
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="0.001"} 4)"));
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="0.00125"} 4)"));
    BOOST_TEST(says(R"(causeway_request_duration_seconds_bucket{le="+Inf"} 5)"));
    BOOST_TEST(says("causeway_request_duration_seconds_count 5"));
    BOOST_TEST(says("causeway_request_duration_seconds_sum 7.0018"));
    BOOST_TEST(says("causeway_upstream_reply_duration_seconds_count 0"));
}

BOOST_AUTO_TEST_CASE(each_upstream_has_its_own_figures)
{
    auto& second = report.sum.upstream.upstreams[1];
    second.up = 4;
    second.counts.connects = 5;
    second.counts.connect_failures = 6;
    second.counts.replies = 10;
    second.counts.dropped = 3;
    second.counts.unreadable = 2;
    second.counts.rewritten = 9;
    second.counts.disconnects[static_cast<std::size_t>(upstream::disconnect::silent)] = 8;
    BOOST_TEST(says(R"(causeway_upstream_up{upstream="one:1"} 0)"));
    BOOST_TEST(says(R"(causeway_upstream_up{upstream="[::1]:2"} 4)"));
    BOOST_TEST(says(R"(causeway_upstream_connects_total{upstream="[::1]:2"} 5)"));
    BOOST_TEST(says(R"(causeway_upstream_connect_failures_total{upstream="[::1]:2"} 6)"));
    BOOST_TEST(says(R"(causeway_upstream_replies_total{upstream="[::1]:2",result="delivered"} 7)"));
    BOOST_TEST(says(R"(causeway_upstream_replies_total{upstream="[::1]:2",result="late"} 3)"));
    BOOST_TEST(says(R"(causeway_upstream_replies_total{upstream="[::1]:2",result="unreadable"} 2)"));
    BOOST_TEST(says(R"(causeway_upstream_rewritten_total{upstream="[::1]:2"} 9)"));
    BOOST_TEST(says(R"(causeway_upstream_disconnects_total{upstream="[::1]:2",reason="silent"} 8)"));
    BOOST_TEST(says(R"(causeway_upstream_disconnects_total{upstream="one:1",reason="silent"} 0)"));
}

BOOST_AUTO_TEST_CASE(an_upstream_that_is_named_twice_has_one_line)
{
    facts.upstreams[1] = facts.upstreams[0];
    report.sum.upstream.upstreams[0].counts.connects = 2;
    report.sum.upstream.upstreams[1].counts.connects = 3;
    BOOST_TEST(says(R"(causeway_upstream_connects_total{upstream="one:1"} 5)"));
    auto all = lines();
    std::ranges::sort(all);
    BOOST_TEST((std::ranges::adjacent_find(all) == all.end()));
}

BOOST_AUTO_TEST_CASE(a_status_has_a_line_once_it_was_answered)
{
    report.sum.http.count(boost::beast::http::status::gateway_timeout);
    report.sum.http.count(static_cast<boost::beast::http::status>(1000)); // not a valid status
    BOOST_TEST(says(R"(causeway_http_responses_total{status="504"} 1)"));
    BOOST_TEST(std::ranges::count_if(lines(), [](const std::string& line) {
                   return line.starts_with("causeway_http_responses_total{");
               }) == 1);
}

BOOST_AUTO_TEST_CASE(a_large_count_is_told_to_the_last_digit)
{
    report.sum.upstream.requests.received = 123'456'789'012'345;
    BOOST_TEST(says("causeway_requests_received_total 123456789012345"));
}

BOOST_AUTO_TEST_SUITE_END()

#include "admin/live_events.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using causeway::clock;
namespace admin = causeway::admin;
namespace json = boost::json;
namespace upstream = causeway::upstream;

struct fixture {
    const clock::time_point zero{1000h};
    const admin::live_event_writer writer{admin::facts{.version = "1.2.3",
                                                       .upstreams = {"one:1", "two:2"},
                                                       .protocol = "codes",
                                                       .coalesces = true,
                                                       .can_be_asked = true},
                                          zero};
    admin::report report;

    fixture()
    {
        report.loops = 2;
        report.upstream_window = 1024;
        report.reply_timeout = 2s;
        report.sum.upstream.upstreams.resize(2);
    }
};

void check(const admin::live_event& event, std::string_view name, std::string_view expected)
{
    BOOST_TEST(event.name == name);
    BOOST_TEST(json::value(event.data) == json::parse(expected), json::serialize(event.data));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(live_events, fixture)

BOOST_AUTO_TEST_CASE(an_event_is_two_lines_and_an_empty_one_whatever_the_texts_in_it)
{
    BOOST_TEST(text_of(admin::live_event{"hello", {{"key", "a\nb\""}}}) ==
               "event: hello\ndata: {\"key\":\"a\\nb\\\"\"}\n\n");
}

BOOST_AUTO_TEST_CASE(hello_says_what_stays)
{
    check(writer.hello(report, zero + 5us), "hello",
          R"({"version":"1.2.3","protocol":"codes","loops":2,"window":1024,"reply_timeout":2000000,"coalesce":true,
              "upstreams":["one:1","two:2"],"can_ask":true,"now":5})");
}

BOOST_AUTO_TEST_CASE(state_has_the_figures_of_the_process)
{
    report.connections = 3;
    report.waiting_limit = 100;
    report.draining = true;
    report.sum.http.responses[200] = 7;
    report.sum.http.responses[504] = 1;
    auto& figures = report.sum.upstream;
    figures.requests = {.received = 9, .replied = 7, .timed_out = 1, .duplicates = 1};
    figures.waiting = {.backlog = 1, .suspects = 2, .outbox = 3, .wire = 4, .shared = 5};
    figures.request_durations = upstream::histogram(200us);
    figures.request_durations.add(90us);
    figures.request_durations.add(300us);
    figures.upstreams[0].counts.replies = 10;
    figures.upstreams[1].counts.replies = 3;
    figures.upstreams[1].counts.dropped = 2;
    figures.upstreams[1].counts.unreadable = 1;
    figures.upstreams[0].up = 2;
    figures.upstreams[0].on_the_wire = 4;
    check(writer.state(report, zero + 1s), "state",
          R"({"now":1000000,"sessions":3,"waiting":15,"backlog":3,"waiting_limit":100,"draining":true,
              "upstreams":[{"connections":2,"connected":2,"in_flight":4},{"connections":2,"connected":0,"in_flight":0}],
              "answers":{"200":7,"504":1},
              "outcomes":{"reply":7,"timed_out":1,"abandoned":0,"unavailable":0,"overloaded":0,"connection_lost":0,
                          "duplicate":1,"stopped":0},
              "replies":{"matched":11,"late":2,"unreadable":1},
              "latency":[[100,1],[200,0],[250,0],[null,1]]})");
}

BOOST_AUTO_TEST_CASE(a_request_has_its_times_and_those_that_did_not_come_are_left_out)
{
    admin::happenings happenings{
        .requests = {{.id = "live-1",
                      .session = 7,
                      .key = "404",
                      .outcome = "reply",
                      .upstream = "two:2",
                      .status = 200,
                      .asked_here = true,
                      .began = zero + 1us,
                      .read = zero + 2us,
                      .queued = zero + 3us,
                      .written = zero + 4us,
                      .matched = zero + 5us,
                      .answered = zero + 6us},
                     {.session = 8, .status = 400, .began = zero, .read = zero, .answered = zero + 1us},
                     {.session = 9, .began = zero, .given_up = zero + 2us}},
        .wires = {},
        .dropped = 3};
    check(writer.happened(happenings, 1), "happened",
          R"({"dropped":3,"wires":[],
              "requests":[{"loop":1,"session":7,"id":"live-1","key":"404","upstream":1,"began":1,"read":2,"queued":3,
                           "written":4,"matched":5,"answered":6,"status":200,"outcome":"reply","asked_here":true},
                          {"loop":1,"session":8,"began":0,"read":0,"answered":1,"status":400},
                          {"loop":1,"session":9,"began":0,"given_up":2}]})");
}

BOOST_AUTO_TEST_CASE(what_happens_on_a_wire_has_a_reason_or_a_key)
{
    admin::happenings happenings{.requests = {},
                                 .wires = {{zero + 1us, upstream::wire_event::connected, "one:1", {}},
                                           {zero + 2us, upstream::wire_event::late_reply, "one:1", "404"},
                                           {zero + 3us, upstream::wire_event::lost, "two:2", "closed by the upstream"}},
                                 .dropped = 0};
    check(writer.happened(happenings, 0), "happened",
          R"({"dropped":0,"requests":[],
              "wires":[{"loop":0,"at":1,"upstream":0,"what":"connected"},
                       {"loop":0,"at":2,"upstream":0,"what":"late reply","key":"404"},
                       {"loop":0,"at":3,"upstream":1,"what":"lost","reason":"closed by the upstream"}]})");
}

BOOST_AUTO_TEST_SUITE_END()

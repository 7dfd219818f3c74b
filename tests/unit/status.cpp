#include "admin/status.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(one_line_says_whether_requests_are_welcome_and_what_has_become_of_them)
{
    causeway::admin::report report;
    report.loops = report.loops_responding = report.loops_with_an_upstream = 3;
    report.connections = 12;
    report.sum.upstream.waiting = {.backlog = 1, .suspects = 0, .outbox = 1, .wire = 2, .shared = 0};
    report.sum.upstream.requests = {
        .replied = 10, .timed_out = 1, .abandoned = 6, .unavailable = 2, .overloaded = 3, .lost = 4};
    BOOST_TEST(status_of(report) ==
               "ok; 12 connections, 4 requests wait, 3 of 3 event loops have an upstream; 10 replies, 1 timed out, 2 "
               "unavailable, 3 overloaded, 4 lost, 6 abandoned");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_comes_first)
{
    causeway::admin::report report;
    report.loops = report.loops_with_an_upstream = 2;
    report.loops_responding = 1;
    report.time_to_answer = std::chrono::seconds(1);
    BOOST_TEST(status_of(report).starts_with("1 of 2 event loops did not answer within 1000 ms; 0 connections"));
    report.draining = true;
    BOOST_TEST(status_of(report).starts_with("draining; 0 connections"));
}

BOOST_AUTO_TEST_SUITE_END()

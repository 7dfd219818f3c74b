#include "admin/health.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

using namespace std::chrono_literals;

struct fixture {
    causeway::admin::report report;

    fixture()
    {
        report.loops = report.loops_responding = report.loops_with_an_upstream = 3;
        report.time_to_answer = 1s;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(health, fixture)

BOOST_AUTO_TEST_CASE(a_process_that_turns_and_has_its_upstreams_is_well_and_ready)
{
    BOOST_TEST(health_of(report) == "ok\n");
    BOOST_TEST(readiness_of(report) == "ok\n");
}

BOOST_AUTO_TEST_CASE(a_loop_that_does_not_answer_is_neither_well_nor_ready)
{
    report.loops_responding = 2;
    BOOST_TEST(health_of(report) == "1 of 3 event loops did not answer within 1000 ms\n");
    BOOST_TEST(readiness_of(report) == health_of(report));
}

BOOST_AUTO_TEST_CASE(a_loop_without_an_upstream_is_well_and_not_ready)
{
    report.loops_with_an_upstream = 1;
    BOOST_TEST(health_of(report) == "ok\n");
    BOOST_TEST(readiness_of(report) == "2 of 3 event loops have no connection to an upstream\n");
}

BOOST_AUTO_TEST_CASE(a_process_that_drains_is_well_and_not_ready)
{
    report.draining = true;
    report.loops_with_an_upstream = 0;
    BOOST_TEST(health_of(report) == "ok\n");
    BOOST_TEST(readiness_of(report) == "draining\n");
}

BOOST_AUTO_TEST_SUITE_END()

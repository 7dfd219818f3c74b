#include "http/progress.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>

namespace causeway::http {

static std::ostream& operator<<(std::ostream& out, due what)
{
    switch (what) {
    case due::nothing:
        return out << "nothing";
    case due::close:
        return out << "close";
    case due::refuse:
        return out << "refuse";
    case due::look_for_client:
        return out << "look_for_client";
    case due::reset:
        return out << "reset";
    }
    return out << "unknown";
}

} // namespace causeway::http

namespace {

using causeway::http::due;
using causeway::http::phase;

constexpr causeway::http::sweep_limits limits{
    .idle = 5, .reading = 4, .reading_in_drain = 2, .answering = 2, .writing = 3};

struct fixture {
    // `quiet_sweeps` sweeps find nothing to do, and the next one finds `expected`.
    void check_after(int quiet_sweeps, due expected, bool draining = false)
    {
        for (int i = 0; i < quiet_sweeps; ++i)
            BOOST_TEST(session.sweep(limits, draining) == due::nothing);
        BOOST_TEST(session.sweep(limits, draining) == expected);
    }

    causeway::http::progress session;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(progress, fixture)

BOOST_AUTO_TEST_CASE(a_session_begins_idle_and_is_closed_after_its_time) { check_after(5, due::close); }

BOOST_AUTO_TEST_CASE(a_request_that_does_not_come_to_its_end_is_refused)
{
    session.enter(phase::reading);
    check_after(4, due::refuse);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_reset)
{
    session.enter(phase::writing);
    check_after(3, due::reset);
}

BOOST_AUTO_TEST_CASE(a_client_whose_answer_takes_a_while_is_looked_for_at_each_further_sweep)
{
    session.enter(phase::answering);
    check_after(2, due::look_for_client);
    check_after(0, due::look_for_client);
}

BOOST_AUTO_TEST_CASE(behind_the_last_answer_nothing_is_due)
{
    session.enter(phase::closing);
    check_after(100, due::nothing);
}

BOOST_AUTO_TEST_CASE(what_is_due_stays_due)
{
    check_after(5, due::close);
    check_after(0, due::close);
}

BOOST_AUTO_TEST_CASE(each_phase_has_its_own_time)
{
    check_after(4, due::nothing);

    session.enter(phase::reading);

    check_after(4, due::refuse);
}

BOOST_AUTO_TEST_CASE(while_the_server_drains_an_idle_session_is_closed_at_the_second_sweep)
{
    check_after(1, due::close, true);
}

BOOST_AUTO_TEST_CASE(while_the_server_drains_a_request_has_less_time_to_come_to_its_end)
{
    session.enter(phase::reading);
    check_after(2, due::refuse, true);
}

BOOST_AUTO_TEST_CASE(what_a_request_took_before_the_drain_counts)
{
    session.enter(phase::reading);
    check_after(2, due::nothing);

    check_after(0, due::refuse, true);
}

BOOST_AUTO_TEST_CASE(a_drain_hurries_no_client_that_takes_an_answer)
{
    session.enter(phase::writing);
    check_after(3, due::reset, true);
}

BOOST_AUTO_TEST_CASE(a_session_has_settled_when_it_was_idle_for_a_whole_interval)
{
    session.sweep(limits, false);
    BOOST_TEST(!session.has_settled());
    session.sweep(limits, false);
    BOOST_TEST(session.has_settled());

    session.enter(phase::reading);
    BOOST_TEST(!session.has_settled());
    session.sweep(limits, false);
    session.sweep(limits, false);
    BOOST_TEST(!session.has_settled());
}

BOOST_AUTO_TEST_SUITE_END()

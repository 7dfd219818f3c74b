#include "upstream/availability.hpp"

#include "print_duration.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace std::chrono_literals;
using causeway::upstream::availability;
using causeway::upstream::questions;

struct fixture {
    static constexpr auto settling_time = availability::settling_time;
    static constexpr auto lasting_time = availability::lasting_time;

    availability::time_point now{1000h};
    availability upstream{now};

    void pass(std::chrono::nanoseconds time) { now += time; }
    std::chrono::nanoseconds down_for() const { return upstream.down_for(now); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(availability, fixture)

BOOST_AUTO_TEST_CASE(without_a_connection_it_is_down_since_the_beginning)
{
    pass(3s);
    BOOST_TEST(down_for() == 3s);
}

BOOST_AUTO_TEST_CASE(the_first_connection_counts_at_once)
{
    pass(3s);
    upstream.connected(now, false);
    BOOST_TEST(down_for() == 0s);
}

BOOST_AUTO_TEST_CASE(after_a_connection_that_worked_it_is_down_since_that_was_lost)
{
    upstream.connected(now, false);
    pass(1h);
    upstream.spoke();
    upstream.disconnected(now, now, questions::answered);
    pass(2s);
    BOOST_TEST(upstream.worked());
    BOOST_TEST(down_for() == 2s);
    BOOST_TEST(upstream.since_last_worked(now) == 2s);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_hung_up_at_once_does_not_count)
{
    pass(1s);
    upstream.connected(now, false);
    pass(settling_time - 1ns);
    upstream.disconnected(now, now, questions::unanswered);
    BOOST_TEST(!upstream.worked());
    BOOST_TEST(down_for() == 1s + settling_time - 1ns);
}

BOOST_AUTO_TEST_CASE(a_short_connection_that_brought_a_reply_counts)
{
    pass(1s);
    upstream.connected(now, false);
    upstream.spoke();
    BOOST_TEST(upstream.disconnected(now, now, questions::answered));
    BOOST_TEST(upstream.worked());
    BOOST_TEST(upstream.was_of_use());
    BOOST_TEST(down_for() == 0s);
}

// Like a host that takes the greeting and hangs up, again and again.
BOOST_AUTO_TEST_CASE(a_short_connection_that_brought_no_reply_to_a_question_was_up_and_of_no_use)
{
    for (const auto its_questions : {questions::none, questions::unanswered}) {
        upstream.connected(now, false);
        upstream.spoke();
        BOOST_TEST(down_for() == 0s);
        pass(lasting_time - 1ns);
        BOOST_TEST(upstream.disconnected(now, now, its_questions));
        BOOST_TEST(upstream.worked() == (its_questions == questions::none));
        BOOST_TEST(!upstream.was_of_use());
        BOOST_TEST(down_for() == 0s);
    }
}

BOOST_AUTO_TEST_CASE(after_a_long_connection_that_left_its_questions_unanswered_the_next_has_to_show_that_it_works)
{
    upstream.connected(now, false);
    upstream.spoke();
    pass(lasting_time);
    upstream.disconnected(now, now, questions::unanswered);
    BOOST_TEST(!upstream.worked());
    BOOST_TEST(upstream.was_of_use());
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_asked_at_once_and_brought_nothing_does_not_count_however_long_it_lasted)
{
    pass(1s);
    upstream.connected(now, false);
    pass(settling_time - 1ns);
    const auto asked_at = now;
    pass(3s);
    BOOST_TEST(!upstream.disconnected(now, asked_at, questions::unanswered));
    BOOST_TEST(!upstream.worked());
    BOOST_TEST(!upstream.was_of_use());
    BOOST_TEST(down_for() == 4s + settling_time - 1ns);
}

BOOST_AUTO_TEST_CASE(a_connection_that_worked_until_it_was_asked_is_down_since_then)
{
    upstream.connected(now, false);
    pass(1h);
    const auto asked_at = now;
    pass(3s);
    BOOST_TEST(upstream.disconnected(now, asked_at, questions::unanswered));
    BOOST_TEST(!upstream.worked()); // the next one has to show that it does
    BOOST_TEST(upstream.was_of_use());
    BOOST_TEST(down_for() == 3s);
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_asked_nothing_counts_unless_it_was_hung_up_at_once)
{
    for (const auto lasts : {lasting_time, settling_time}) {
        upstream.connected(now, false);
        pass(lasts);
        BOOST_TEST(upstream.disconnected(now, {}, questions::none));
        BOOST_TEST(upstream.worked());
        BOOST_TEST(upstream.was_of_use() == (lasts == lasting_time));
    }
    upstream.connected(now, false);
    pass(settling_time - 1ns);
    BOOST_TEST(!upstream.disconnected(now, {}, questions::none));
    BOOST_TEST(!upstream.worked());
}

BOOST_AUTO_TEST_CASE(after_a_lost_question_only_a_reply_shows_that_it_works_and_no_quiet_connection)
{
    upstream.connected(now, false);
    upstream.disconnected(now, now, questions::unanswered);
    upstream.connected(now, false);
    upstream.spoke();
    pass(1h);
    upstream.disconnected(now, now, questions::none);
    BOOST_TEST(!upstream.worked());
    upstream.connected(now, false);
    upstream.spoke();
    upstream.disconnected(now, now, questions::answered);
    BOOST_TEST(upstream.worked());
}

// Its probe, for example, is no question.
BOOST_AUTO_TEST_CASE(a_connection_that_answered_nothing_that_it_was_asked_does_not_count)
{
    upstream.connected(now, false);
    pass(lasting_time);
    upstream.disconnected(now, now, questions::none);
    BOOST_TEST(!upstream.worked());
}

BOOST_AUTO_TEST_CASE(after_one_that_did_not_work_the_next_counts_when_it_answers_what_it_is_asked_at_once)
{
    upstream.connected(now, true);
    upstream.disconnected(now, now, questions::none);
    pass(1s);
    upstream.connected(now, true);
    pass(1s);
    BOOST_TEST(down_for() == 2s);
    upstream.spoke();
    BOOST_TEST(down_for() == 0s);
    upstream.disconnected(now, now, questions::answered);
    BOOST_TEST(upstream.worked());
    upstream.connected(now, true); // which has to answer, unless the last one worked
    BOOST_TEST(down_for() == 0s);
}

BOOST_AUTO_TEST_CASE(after_one_that_was_hung_up_the_next_counts_when_it_has_lasted)
{
    upstream.connected(now, false);
    upstream.disconnected(now, now, questions::unanswered);
    pass(1s);
    upstream.connected(now, false);
    BOOST_TEST(down_for() == 1s);
    pass(settling_time - 1ns);
    BOOST_TEST(down_for() == 1s + settling_time - 1ns);
    pass(1ns);
    BOOST_TEST(down_for() == 0s);
    BOOST_TEST(upstream.disconnected(now, {}, questions::none));
}

// A greeting that is not answered: the connection has carried nothing.
BOOST_AUTO_TEST_CASE(a_connection_that_never_took_questions_does_not_count)
{
    pass(1s);
    upstream.disconnected(now, now, questions::none);
    BOOST_TEST(!upstream.worked());
    BOOST_TEST(down_for() == 1s);
}

BOOST_AUTO_TEST_CASE(an_answered_probe_is_a_reply_and_known_until_the_next_connection_ends)
{
    upstream.connected(now, true);
    upstream.spoke();
    upstream.disconnected(now, now, questions::only_a_probe);
    BOOST_TEST(upstream.only_probed());
    BOOST_TEST(upstream.worked());
    BOOST_TEST(upstream.was_of_use());
    upstream.connected(now, false);
    BOOST_TEST(upstream.only_probed());
    upstream.disconnected(now, now, questions::unanswered);
    BOOST_TEST(!upstream.only_probed());
}

BOOST_AUTO_TEST_CASE(it_is_known_how_long_ago_a_connection_was_of_use_whatever_came_since)
{
    BOOST_TEST(!upstream.was_of_use_within(1h, now));
    upstream.connected(now, false);
    pass(lasting_time); // without a question, until the last one, which it loses
    upstream.disconnected(now, now, questions::unanswered);
    upstream.connected(now, true);
    upstream.spoke();
    pass(1s);
    upstream.disconnected(now, now, questions::unanswered);
    BOOST_TEST(!upstream.was_of_use());
    BOOST_TEST(upstream.was_of_use_within(2s, now));
    BOOST_TEST(!upstream.was_of_use_within(1s, now));
}

BOOST_AUTO_TEST_SUITE_END()

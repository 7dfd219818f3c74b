#include "upstream/silence.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>

namespace causeway::upstream {

std::ostream& operator<<(std::ostream& out, silence::due due)
{
    switch (due) {
    case silence::due::nothing:
        return out << "nothing";
    case silence::due::heartbeat:
        return out << "heartbeat";
    case silence::due::end:
        return out << "end";
    }
    return out;
}

} // namespace causeway::upstream

namespace {

namespace upstream = causeway::upstream;
using due = upstream::silence::due;
using namespace std::chrono_literals;

constexpr auto patience = 4s;
constexpr auto never = 0s;

constexpr causeway::clock::time_point at(std::chrono::nanoseconds since_the_beginning)
{
    return causeway::clock::time_point(since_the_beginning);
}

} // namespace

BOOST_AUTO_TEST_SUITE(silence)

BOOST_AUTO_TEST_CASE(a_peer_that_owes_nothing_may_be_silent)
{
    upstream::silence peer(at(0s), patience, never);
    BOOST_TEST(peer.check(at(1h), patience) == due::nothing);
}

BOOST_AUTO_TEST_CASE(one_that_owes_an_answer_is_given_up_after_the_patience)
{
    upstream::silence peer(at(0s), patience, never);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(5s - 1ns), patience) == due::nothing);
    BOOST_TEST(peer.check(at(5s), patience) == due::end);
}

BOOST_AUTO_TEST_CASE(further_questions_give_it_no_further_time)
{
    upstream::silence peer(at(0s), patience, never);
    peer.asked(at(1s));
    peer.asked(at(4s));
    BOOST_TEST(peer.check(at(5s), patience) == due::end);
}

BOOST_AUTO_TEST_CASE(bytes_without_sense_give_it_no_further_time)
{
    upstream::silence peer(at(0s), patience, never);
    peer.asked(at(1s));
    peer.had_traffic(at(4s));
    BOOST_TEST(peer.check(at(5s), patience) == due::end);
}

BOOST_AUTO_TEST_CASE(anything_intelligible_breaks_the_silence)
{
    upstream::silence peer(at(0s), patience, never);
    peer.asked(at(1s));
    peer.heard();
    BOOST_TEST(peer.check(at(5s), patience) == due::nothing);
    peer.asked(at(6s));
    BOOST_TEST(peer.check(at(10s - 1ns), patience) == due::nothing);
    BOOST_TEST(peer.check(at(10s), patience) == due::end);
}

BOOST_AUTO_TEST_CASE(halfway_it_is_asked_once_for_a_sign_of_life)
{
    upstream::silence peer(at(0s), patience, 30s);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(3s - 1ns), patience) == due::nothing);
    BOOST_TEST(peer.check(at(3s), patience) == due::heartbeat);
    BOOST_TEST(peer.check(at(4s), patience) == due::nothing);
    BOOST_TEST(peer.check(at(5s), patience) == due::end);
}

BOOST_AUTO_TEST_CASE(and_once_more_in_its_next_silence)
{
    upstream::silence peer(at(0s), patience, 30s);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(3s), patience) == due::heartbeat);
    peer.heard();
    peer.asked(at(4s));
    BOOST_TEST(peer.check(at(6s), patience) == due::heartbeat);
}

BOOST_AUTO_TEST_CASE(a_heartbeat_is_due_after_a_time_without_traffic)
{
    upstream::silence peer(at(0s), patience, 30s);
    BOOST_TEST(peer.check(at(30s - 1ns), patience) == due::nothing);
    BOOST_TEST(peer.check(at(30s), patience) == due::heartbeat);
    peer.had_traffic(at(31s));
    BOOST_TEST(peer.check(at(61s - 1ns), patience) == due::nothing);
    BOOST_TEST(peer.check(at(61s), patience) == due::heartbeat);
}

BOOST_AUTO_TEST_CASE(a_question_is_traffic)
{
    upstream::silence peer(at(0s), patience, 30s);
    peer.asked(at(29s));
    peer.heard();
    BOOST_TEST(peer.check(at(30s), patience) == due::nothing);
    BOOST_TEST(peer.check(at(59s), patience) == due::heartbeat);
}

BOOST_AUTO_TEST_CASE(one_heartbeat_is_enough_for_both)
{
    upstream::silence peer(at(0s), patience, 2s);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(3s), patience) == due::heartbeat);
    peer.asked(at(3s));
    BOOST_TEST(peer.check(at(4s), patience) == due::nothing);
}

BOOST_AUTO_TEST_CASE(without_heartbeats_none_is_due)
{
    upstream::silence peer(at(0s), patience, never);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(3s), patience) == due::nothing);
}

BOOST_AUTO_TEST_CASE(another_patience_begins_anew)
{
    upstream::silence peer(at(0s), patience, 30s);
    peer.asked(at(1s));
    BOOST_TEST(peer.check(at(3s), patience) == due::heartbeat);
    BOOST_TEST(peer.check(at(4s), 1s) == due::nothing);
    BOOST_TEST(peer.check(at(4500ms), 1s) == due::heartbeat);
    BOOST_TEST(peer.check(at(5s - 1ns), 1s) == due::nothing);
    BOOST_TEST(peer.check(at(5s), 1s) == due::end);
}

BOOST_AUTO_TEST_CASE(another_patience_does_not_make_a_peer_owe_anything)
{
    upstream::silence peer(at(0s), patience, never);
    BOOST_TEST(peer.check(at(1s), 1s) == due::nothing);
    BOOST_TEST(peer.check(at(1h), 1s) == due::nothing);
}

BOOST_AUTO_TEST_SUITE_END()

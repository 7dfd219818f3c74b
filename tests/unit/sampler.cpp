#include "service/sampler.hpp"

#include "http/access.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using causeway::clock;
using watcher = causeway::service::sampler; // the suite has the name of the class
using causeway::upstream::wire_event;
namespace http = causeway::http;

constexpr auto most = watcher::samples_between_sweeps;

// A log that counts what it is told.
class counting_log final : public http::access_recorder {
public:
    void make_id(std::string& id) override { id = "made"; }
    void record(const http::access&, std::string_view) override { ++recorded; }
    void sweep() override { ++sweeps; }

    std::size_t recorded = 0;
    std::size_t sweeps = 0;
};

struct fixture {
    watcher watched;
    std::size_t asked = 0;

    // A request comes and is answered, as a session does it; its status is its number.
    void request(std::string_view id = {})
    {
        ++asked;
        if (!watched.wants_next())
            return;
        http::access access;
        access.id = id;
        access.status = static_cast<unsigned>(asked);
        access.sent = true;
        access.began_at = clock::now();
        watched.record(access, "127.0.0.1:1");
    }

    void requests(std::size_t count)
    {
        for (std::size_t i = 0; i != count; ++i)
            request();
    }

    causeway::admin::happenings take()
    {
        causeway::admin::happenings happenings;
        watched.take(happenings);
        return happenings;
    }

    std::vector<unsigned> noted()
    {
        std::vector<unsigned> statuses;
        for (const auto& request : take().requests)
            statuses.push_back(request.status);
        return statuses;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(sampler, fixture)

BOOST_AUTO_TEST_CASE(while_few_requests_come_each_is_noted_and_fetched_once)
{
    requests(3);
    BOOST_TEST(noted() == std::vector({1U, 2U, 3U}), boost::test_tools::per_element());
    BOOST_TEST(noted().empty());
}

BOOST_AUTO_TEST_CASE(from_one_sweep_to_the_next_there_are_so_many_samples_at_most)
{
    for (const std::size_t load : {1UL, most - 1, most, most + 1, 10 * most, 1000 * most, 3UL}) {
        requests(load);
        BOOST_TEST(noted().size() <= most, load);
        watched.sweep();
    }
}

BOOST_AUTO_TEST_CASE(samples_are_spread_over_a_steady_load)
{
    requests(10 * most);
    watched.sweep();
    noted();
    requests(10 * most);
    const auto samples = noted();
    BOOST_TEST_REQUIRE(samples.size() == most);
    for (std::size_t i = 1; i != samples.size(); ++i)
        BOOST_TEST(samples[i] - samples[i - 1] == 10U);
}

BOOST_AUTO_TEST_CASE(after_a_rush_each_request_of_a_quiet_time_is_a_sample_again)
{
    requests(1000 * most);
    watched.sweep();
    watched.sweep(); // nothing came in between
    noted();
    requests(2);
    BOOST_TEST(noted().size() == 2U);
}

BOOST_AUTO_TEST_CASE(where_there_is_no_room_the_oldest_is_dropped_and_counted)
{
    constexpr auto kept = watcher::most_kept;
    for (std::size_t i = 0; i != kept + 2; ++i) {
        request();
        watched.sweep();
    }
    const auto happenings = take();
    BOOST_TEST(happenings.dropped == 2U);
    BOOST_TEST_REQUIRE(happenings.requests.size() == kept);
    BOOST_TEST(happenings.requests.front().status == 3U);
    BOOST_TEST(happenings.requests.back().status == kept + 2);
    BOOST_TEST(take().dropped == 0U);
}

BOOST_AUTO_TEST_CASE(what_happens_on_wires_takes_no_room_from_requests)
{
    request();
    for (std::size_t i = 0; i != watcher::most_kept + 1; ++i)
        watched.note(wire_event::late_reply, "backend:1", "404");
    const auto happenings = take();
    BOOST_TEST(happenings.requests.size() == 1U);
    BOOST_TEST(happenings.wires.size() == watcher::most_kept);
    BOOST_TEST(happenings.dropped == 1U);
    BOOST_TEST((happenings.wires.front().what == wire_event::late_reply));
    BOOST_TEST(happenings.wires.front().upstream == "backend:1");
    BOOST_TEST(happenings.wires.front().detail == "404");
}

BOOST_AUTO_TEST_CASE(a_request_that_is_expected_is_noted_whatever_the_load)
{
    requests(10 * most); // there are no samples left
    noted();
    watched.expect("mine");
    request("another");
    request("mine");
    const auto happenings = take();
    BOOST_TEST_REQUIRE(happenings.requests.size() == 1U);
    BOOST_TEST(happenings.requests.front().id == "mine");
    BOOST_TEST(happenings.requests.front().asked_here);
    request("mine"); // once
    BOOST_TEST(noted().empty());
}

// Otherwise they would take the place of the one that was expected.
BOOST_AUTO_TEST_CASE(those_that_began_while_one_was_expected_are_samples_as_rarely_as_others)
{
    counting_log log;
    for (const bool is_logged : {false, true}) {
        if (is_logged)
            watched.pass_on_to(&log);
        watched.expect("mine");
        std::vector<http::access> in_flight(watcher::most_kept);
        for (auto& access : in_flight) {
            BOOST_TEST(watched.wants_next());
            access.began_at = clock::now();
        }
        request("mine");
        watched.pass_on_to(nullptr);
        for (const auto& access : in_flight)
            watched.record(access, "127.0.0.1:1");

        const auto requests = take().requests;
        BOOST_TEST(requests.size() <= most + 1);
        BOOST_TEST(std::ranges::count(requests, "mine", &causeway::admin::sampled_request::id) == 1);
        watched.sweep();
    }
}

BOOST_AUTO_TEST_CASE(a_request_that_is_not_expected_any_more_is_one_like_all_others)
{
    requests(10 * most);
    noted();
    watched.expect("mine");
    watched.forget("mine");
    BOOST_TEST(!watched.wants_next());
}

BOOST_AUTO_TEST_CASE(the_access_log_gets_all_and_gives_the_ids)
{
    counting_log log;
    watched.pass_on_to(&log);
    requests(10 * most);
    watched.sweep();
    BOOST_TEST(log.recorded == 10 * most);
    BOOST_TEST(log.sweeps == 1U);
    BOOST_TEST(noted().size() == most);
    std::string id;
    watched.make_id(id);
    BOOST_TEST(id == "made");
}

BOOST_AUTO_TEST_CASE(only_the_access_log_wants_to_know_who_the_clients_are)
{
    BOOST_TEST(!watched.wants_peers());
    counting_log log;
    watched.pass_on_to(&log);
    BOOST_TEST(watched.wants_peers());
}

BOOST_AUTO_TEST_CASE(without_an_access_log_a_request_gets_no_id_because_it_is_watched)
{
    std::string id;
    watched.make_id(id);
    BOOST_TEST(id.empty());
}

BOOST_AUTO_TEST_CASE(a_request_that_began_before_anybody_watched_has_no_details_of_an_earlier_one)
{
    http::access access;
    access.note_details();
    access.trace.details->key = "404";
    access.restart();
    watched.record(access, "127.0.0.1:1");

    const auto requests = take().requests;
    BOOST_TEST_REQUIRE(requests.size() == 1U);
    BOOST_TEST(requests[0].key.empty());
}

BOOST_AUTO_TEST_CASE(a_time_of_what_did_not_happen_is_left_out)
{
    const clock::time_point moment(1000h);
    http::access access;
    access.note_details();
    access.began_at = access.trace.read_at = access.trace.details->queued_at = moment;
    access.trace.details->key = "404";
    access.session = 7;
    access.trace.outcome = "timed_out";
    access.trace.ended_at = access.ended_at = moment + 1s;
    access.status = 504;
    watched.record(access, "127.0.0.1:1");
    access.trace.outcome = "reply";
    access.trace.upstream = "backend:1";
    access.trace.written_at = moment + 1ms;
    access.sent = true;
    watched.record(access, "127.0.0.1:2");

    const auto requests = take().requests;
    BOOST_TEST_REQUIRE(requests.size() == 2U);
    const auto& lost = requests[0];
    BOOST_TEST(lost.key == "404");
    BOOST_TEST((lost.queued == moment));
    BOOST_TEST((lost.written == clock::time_point()));
    BOOST_TEST((lost.matched == clock::time_point()));
    BOOST_TEST((lost.answered == clock::time_point()));
    BOOST_TEST((lost.given_up == moment + 1s));
    BOOST_TEST(lost.status == 0U);
    const auto& answered = requests[1];
    BOOST_TEST((answered.written == moment + 1ms));
    BOOST_TEST((answered.matched == moment + 1s));
    BOOST_TEST((answered.answered == moment + 1s));
    BOOST_TEST((answered.given_up == clock::time_point()));
    BOOST_TEST(answered.status == 504U);
    BOOST_TEST(answered.session == 7U);
}

BOOST_AUTO_TEST_SUITE_END()

#include "net/limit.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <latch>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace net = causeway::net;

// Notes the highest count that it ever saw. Any thread may call any member.
class high_water_mark {
public:
    void up()
    {
        const auto now = ++count_;
        auto highest = highest_.load();
        while (now > highest && !highest_.compare_exchange_weak(highest, now))
            ;
    }
    void down() { --count_; }
    std::size_t highest() const { return highest_; }

private:
    std::atomic<std::size_t> count_{0};
    std::atomic<std::size_t> highest_{0};
};

} // namespace

BOOST_AUTO_TEST_SUITE(limit)

BOOST_AUTO_TEST_CASE(there_are_as_many_places_as_the_bound_says)
{
    net::limit limit(3);

    const auto first = limit.try_take();
    const auto second = limit.try_take();
    const auto third = limit.try_take();
    const auto fourth = limit.try_take();

    BOOST_TEST(static_cast<bool>(first));
    BOOST_TEST(static_cast<bool>(second));
    BOOST_TEST(static_cast<bool>(third));
    BOOST_TEST(!fourth);
    BOOST_TEST(limit.taken() == 3U);
}

BOOST_AUTO_TEST_CASE(a_bound_of_zero_gives_nothing)
{
    net::limit limit(0);

    BOOST_TEST(!limit.try_take());
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_refusal_takes_no_place)
{
    net::limit limit(1);
    auto place = std::optional(limit.try_take());

    for (int times = 0; times < 10; ++times)
        BOOST_TEST(!limit.try_take());

    BOOST_TEST(limit.taken() == 1U);
    place.reset();
    BOOST_TEST(limit.taken() == 0U);
    BOOST_TEST(static_cast<bool>(limit.try_take()));
}

BOOST_AUTO_TEST_CASE(a_place_is_given_back_when_it_is_destroyed)
{
    net::limit limit(1);
    for (int times = 0; times < 10; ++times) {
        const auto place = limit.try_take();

        BOOST_TEST(static_cast<bool>(place));
        BOOST_TEST(limit.taken() == 1U);
    }
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_place_that_moves_stays_taken_once)
{
    net::limit limit(1);
    {
        auto from = limit.try_take();

        const auto to = std::move(from);

        BOOST_TEST(!from); // NOLINT(bugprone-use-after-move): that is what is asked here
        BOOST_TEST(static_cast<bool>(to));
        BOOST_TEST(limit.taken() == 1U);
        BOOST_TEST(!limit.try_take());
    }
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_place_outlives_the_object_that_it_moved_from)
{
    net::limit limit(1);
    net::limit::place kept;
    BOOST_TEST(!kept);
    {
        auto place = limit.try_take();
        kept = std::move(place);
    }
    BOOST_TEST(static_cast<bool>(kept));
    BOOST_TEST(limit.taken() == 1U);
}

BOOST_AUTO_TEST_CASE(a_place_is_given_back_when_nothing_is_assigned_to_it)
{
    net::limit limit(1);
    auto place = limit.try_take();

    place = net::limit::place();

    BOOST_TEST(!place);
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(no_place_is_lost_when_one_is_assigned_to_another)
{
    net::limit limit(2);
    {
        auto one = limit.try_take();
        auto other = limit.try_take();

        one = std::move(other);

        BOOST_TEST(static_cast<bool>(one));
    }
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_place_assigned_to_itself_stays_taken_once)
{
    net::limit limit(1);
    {
        auto place = limit.try_take();
        auto& itself = place;

        place = std::move(itself);

        BOOST_TEST(limit.taken() == 1U);
    }
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(places_may_be_given_back_in_any_order)
{
    net::limit limit(3);
    std::vector<net::limit::place> places;
    for (int times = 0; times < 3; ++times)
        places.push_back(limit.try_take());

    places.erase(places.begin());

    BOOST_TEST(limit.taken() == 2U);
    BOOST_TEST(static_cast<bool>(limit.try_take()));
    places.clear();
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(a_bound_that_is_raised_gives_more_and_one_that_is_lowered_only_refuses_new_ones)
{
    net::limit limit(1);
    const auto first = limit.try_take();
    limit.set_bound(3);
    auto second = limit.try_take();
    auto third = limit.try_take();
    BOOST_TEST(static_cast<bool>(third));

    limit.set_bound(2);

    BOOST_TEST(limit.taken() == 3U);
    third = {};
    BOOST_TEST(!limit.try_take());
    second = {};
    BOOST_TEST(static_cast<bool>(limit.try_take()));
}

BOOST_AUTO_TEST_CASE(two_limits_count_apart)
{
    net::limit one(1);
    net::limit other(1);

    const auto place = one.try_take();

    BOOST_TEST(static_cast<bool>(place));
    BOOST_TEST(static_cast<bool>(other.try_take()));
    BOOST_TEST(one.taken() == 1U);
    BOOST_TEST(other.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(several_threads_never_hold_more_places_than_the_bound)
{
    constexpr int threads = 4;
    constexpr int rounds = 200'000;
    for (const std::size_t bound : {1U, 3U}) {
        net::limit limit(bound);
        high_water_mark held;
        {
            std::latch start(threads);
            std::vector<std::jthread> running;
            for (int thread = 0; thread < threads; ++thread)
                running.emplace_back([&] {
                    start.arrive_and_wait();
                    for (int round = 0; round < rounds; ++round)
                        if (const auto place = limit.try_take()) {
                            held.up();
                            held.down();
                        }
                });
        }

        BOOST_TEST(held.highest() >= 1U);
        BOOST_TEST(held.highest() <= bound);
        BOOST_TEST(limit.taken() == 0U);
    }
}

// One thread holds the only place, and gives it back to take it again; the other tries all the time. When the first is
// refused, one of the attempts that the other made meanwhile must have got the place.
BOOST_AUTO_TEST_CASE(a_failed_attempt_never_costs_another_thread_a_free_place)
{
    net::limit limit(1);
    std::vector<std::atomic<bool>> got_it(2'000'000); // by attempt of the other thread
    std::atomic<std::size_t> attempts{0};             // that it has completed
    auto place = limit.try_take();
    const std::jthread other([&] {
        for (; attempts != got_it.size(); ++attempts)
            if (const auto taken = limit.try_take())
                got_it[attempts] = true;
    });
    std::size_t refused_for_nothing = 0;
    while (attempts != got_it.size()) {
        const auto first = attempts.load();
        place = {};
        place = limit.try_take();
        if (place)
            continue;
        const auto last = attempts.load();
        while (attempts == last && last != got_it.size())
            std::this_thread::yield();
        const auto end = std::min(last + 1, got_it.size());
        refused_for_nothing +=
            std::none_of(got_it.begin() + static_cast<std::ptrdiff_t>(first),
                         got_it.begin() + static_cast<std::ptrdiff_t>(end), [](const auto& got) { return got.load(); })
                ? 1
                : 0;
        while (!place)
            place = limit.try_take();
    }
    BOOST_TEST(refused_for_nothing == 0U);
}

BOOST_AUTO_TEST_CASE(of_several_threads_as_many_get_a_place_as_there_are)
{
    constexpr int threads = 4;
    constexpr std::size_t places_each = 1000;
    constexpr std::size_t bound = threads * places_each / 2;
    net::limit limit(bound);
    std::vector<std::vector<net::limit::place>> places(threads);
    {
        std::latch start(threads);
        std::vector<std::jthread> running;
        for (auto& own : places)
            running.emplace_back([&] {
                start.arrive_and_wait();
                for (std::size_t times = 0; times < places_each; ++times)
                    if (auto place = limit.try_take())
                        own.push_back(std::move(place));
            });
    }

    std::size_t held = 0;
    for (const auto& own : places)
        held += own.size();
    BOOST_TEST(held == bound);
    BOOST_TEST(limit.taken() == bound);
    places.clear();
    BOOST_TEST(limit.taken() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

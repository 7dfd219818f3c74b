#include "upstream/backoff.hpp"

#include "print_duration.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

namespace upstream = causeway::upstream;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// A random source that always gives the same number.
class loaded_dice {
public:
    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    explicit loaded_dice(result_type number)
        : number_(number)
    {
    }
    result_type operator()() const { return number_; }

private:
    result_type number_;
};

// The ends of the range. Not 0 for the lower one: a distribution may reject it and retry for ever.
loaded_dice always_lowest() { return loaded_dice(1); }
loaded_dice always_highest() { return loaded_dice(loaded_dice::max()); }

std::vector<nanoseconds> pauses(upstream::backoff& backoff, loaded_dice dice, std::size_t count)
{
    std::vector<nanoseconds> pauses;
    while (pauses.size() < count)
        pauses.push_back(backoff.next(dice));
    return pauses;
}

} // namespace

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_AUTO_TEST_CASE(the_ceiling_starts_at_50_ms_and_doubles_up_to_the_longest)
{
    upstream::backoff backoff(3s);

    const auto highest = pauses(backoff, always_highest(), 10);

    const std::vector<nanoseconds> expected = {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3s, 3s, 3s, 3s};
    BOOST_TEST(highest == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_ceiling_may_reach_the_longest_exactly)
{
    upstream::backoff backoff(200ms);

    const auto highest = pauses(backoff, always_highest(), 5);

    const std::vector<nanoseconds> expected = {50ms, 100ms, 200ms, 200ms, 200ms};
    BOOST_TEST(highest == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_pause_may_be_nothing_however_high_the_ceiling)
{
    upstream::backoff backoff(3s);

    for (const auto pause : pauses(backoff, always_lowest(), 10))
        BOOST_TEST(pause == 0ns);
}

BOOST_AUTO_TEST_CASE(a_short_pause_raises_the_ceiling_as_a_long_one_does)
{
    upstream::backoff backoff(3s);
    pauses(backoff, always_lowest(), 3);

    const auto highest = pauses(backoff, always_highest(), 2);

    const std::vector<nanoseconds> expected = {400ms, 800ms};
    BOOST_TEST(highest == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(pauses_are_spread_evenly_over_the_whole_range)
{
    constexpr unsigned seed = 1;
    constexpr int draws = 40'000;
    constexpr int parts = 4;
    std::mt19937 random(seed);
    std::vector<int> hits(parts);

    for (int draw = 0; draw < draws; ++draw) {
        upstream::backoff backoff(3s);
        const auto pause = backoff.next(random);
        BOOST_TEST_REQUIRE(pause >= 0ns);
        BOOST_TEST_REQUIRE(pause <= 50ms);
        ++hits[static_cast<std::size_t>(std::min<std::int64_t>(pause * parts / 50ms, parts - 1))];
    }

    for (const auto hit : hits) {
        BOOST_TEST(hit > draws / parts * 9 / 10);
        BOOST_TEST(hit < draws / parts * 11 / 10);
    }
}

BOOST_AUTO_TEST_CASE(after_a_reset_it_starts_again)
{
    upstream::backoff backoff(3s);
    for (const std::size_t before : {0U, 1U, 4U, 20U}) {
        pauses(backoff, always_highest(), before);

        backoff.reset();

        const auto highest = pauses(backoff, always_highest(), 3);
        const std::vector<nanoseconds> expected = {50ms, 100ms, 200ms};
        BOOST_TEST(highest == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_longest_pause_below_50_ms_holds_from_the_start)
{
    for (const nanoseconds longest : {nanoseconds(1ns), nanoseconds(20ms), nanoseconds(49'999'999ns)}) {
        upstream::backoff backoff(longest);

        for (const auto pause : pauses(backoff, always_highest(), 4))
            BOOST_TEST(pause == longest);
        backoff.reset();
        for (const auto pause : pauses(backoff, always_highest(), 4))
            BOOST_TEST(pause == longest);
    }
}

BOOST_AUTO_TEST_CASE(a_longest_pause_of_a_thousand_hours_is_reached_and_held)
{
    upstream::backoff backoff(1000h);

    const auto highest = pauses(backoff, always_highest(), 100);

    BOOST_TEST(std::ranges::is_sorted(highest));
    BOOST_TEST(highest.back() == nanoseconds(1000h));
}

BOOST_AUTO_TEST_SUITE_END()

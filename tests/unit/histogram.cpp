#include "upstream/histogram.hpp"

#include "print_duration.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using causeway::upstream::histogram;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

std::vector<nanoseconds> bounds_of(const histogram& counted)
{
    std::vector<nanoseconds> bounds;
    for (std::size_t i = 0; i != counted.size(); ++i)
        bounds.push_back(counted.bound(i));
    return bounds;
}

std::uint64_t all_in(const histogram& counted)
{
    std::uint64_t all = 0;
    for (std::size_t i = 0; i != counted.size() + 1; ++i)
        all += counted.count(i);
    return all;
}

// The number of the bucket that `took` counts into.
std::size_t bucket_of(nanoseconds took, nanoseconds timeout)
{
    histogram counted(timeout);
    counted.add(took);
    BOOST_TEST(all_in(counted) == 1U);
    std::size_t bucket = 0;
    while (counted.count(bucket) == 0)
        ++bucket;
    return bucket;
}

} // namespace

BOOST_AUTO_TEST_SUITE(histogram)

BOOST_AUTO_TEST_CASE(its_bounds_are_the_usual_steps_below_the_timeout_then_that_then_a_quarter_more)
{
    const std::vector<nanoseconds> expected{100us, 250us, 500us, 1ms, 2500us, 5ms, 10ms, 12ms, 15ms};
    BOOST_TEST(bounds_of(causeway::upstream::histogram(12ms)) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_timeout_that_is_a_step_itself_is_there_once)
{
    const std::vector<nanoseconds> expected{100us, 250us, 500us, 1ms, 1250us};
    BOOST_TEST(bounds_of(causeway::upstream::histogram(1ms)) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_shortest_and_the_longest_timeout_have_bounds_that_rise)
{
    for (const nanoseconds timeout : {nanoseconds(1), nanoseconds(1ms), nanoseconds(100s), nanoseconds(1000h)}) {
        const auto bounds = bounds_of(causeway::upstream::histogram(timeout));
        BOOST_TEST(std::ranges::is_sorted(bounds));
        BOOST_TEST(bounds.size() >= 2U);
        BOOST_TEST(bounds.size() <= causeway::upstream::histogram::most_bounds);
    }
}

BOOST_AUTO_TEST_CASE(a_duration_counts_into_the_first_bucket_whose_bound_is_not_below_it)
{
    BOOST_TEST(bucket_of(0ns, 1ms) == 0U);
    BOOST_TEST(bucket_of(100us, 1ms) == 0U);
    BOOST_TEST(bucket_of(100us + 1ns, 1ms) == 1U);
    BOOST_TEST(bucket_of(1ms, 1ms) == 3U);
    BOOST_TEST(bucket_of(1ms + 1ns, 1ms) == 4U);
}

BOOST_AUTO_TEST_CASE(each_bound_is_the_longest_of_its_bucket)
{
    for (const nanoseconds timeout : {nanoseconds(1ms), nanoseconds(2s), nanoseconds(1000h)}) {
        const auto bounds = bounds_of(causeway::upstream::histogram(timeout));
        for (std::size_t bucket = 0; bucket != bounds.size(); ++bucket) {
            BOOST_TEST(bucket_of(bounds[bucket], timeout) == bucket);
            BOOST_TEST(bucket_of(bounds[bucket] + 1ns, timeout) == bucket + 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_longer_than_all_bounds_counts_into_one_more_bucket)
{
    BOOST_TEST(bucket_of(1h, 1ms) == 5U);
    BOOST_TEST(bucket_of(2000h, 1000h) == causeway::upstream::histogram(1000h).size());
}

BOOST_AUTO_TEST_CASE(it_knows_how_long_all_took_together)
{
    causeway::upstream::histogram counted(1s);
    counted.add(3ms);
    counted.add(2h);
    BOOST_TEST(counted.sum() == nanoseconds(2h + 3ms));
}

BOOST_AUTO_TEST_CASE(a_sum_begins_with_one_that_has_no_bounds)
{
    causeway::upstream::histogram one(1s);
    causeway::upstream::histogram other(1s);
    one.add(3ms);
    other.add(3ms);
    other.add(2s);
    causeway::upstream::histogram sum;
    sum += one;
    sum += other;
    BOOST_TEST(bounds_of(sum) == bounds_of(one), boost::test_tools::per_element());
    BOOST_TEST(all_in(sum) == 3U);
    BOOST_TEST(sum.count(5) == 2U); // up to 5 ms
    BOOST_TEST(sum.count(sum.size()) == 1U);
    BOOST_TEST(sum.sum() == nanoseconds(2s + 6ms));
}

BOOST_AUTO_TEST_SUITE_END()

#include "net/worth_a_line.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <vector>

namespace net = causeway::net;

BOOST_AUTO_TEST_SUITE(worth_a_line)

BOOST_AUTO_TEST_CASE(an_event_is_told_the_1st_2nd_4th_8th_time)
{
    std::vector<std::uint64_t> told;
    for (std::uint64_t count = 1; count <= 20; ++count)
        if (net::worth_a_line(count))
            told.push_back(count);

    const std::vector<std::uint64_t> powers_of_two{1, 2, 4, 8, 16};
    BOOST_TEST(told == powers_of_two, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_never_happened_is_not_told) { BOOST_TEST(!net::worth_a_line(0)); }

BOOST_AUTO_TEST_SUITE_END()

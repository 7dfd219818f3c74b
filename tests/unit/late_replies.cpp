#include "upstream/late_replies.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

namespace upstream = causeway::upstream;
using namespace std::chrono_literals;

const upstream::key buy("buy");
const upstream::key sell("sell");
constexpr causeway::clock::time_point start;

} // namespace

BOOST_AUTO_TEST_SUITE(late_replies)

BOOST_AUTO_TEST_CASE(a_late_reply_may_come_until_its_time_has_passed)
{
    upstream::late_replies expected;
    expected.expect(buy, start + 1s);

    BOOST_TEST(expected.may_come_for(buy, start + 1s - 1ns));
    BOOST_TEST(!expected.may_come_for(sell, start));
    BOOST_TEST(!expected.may_come_for(buy, start + 1s));
}

BOOST_AUTO_TEST_CASE(one_that_is_expected_again_may_come_until_the_later_time)
{
    upstream::late_replies expected;
    expected.expect(buy, start + 1s);
    expected.expect(buy, start + 2s);

    BOOST_TEST(expected.may_come_for(buy, start + 1s));
    BOOST_TEST(expected.may_come_for(buy, start + 2s - 1ns));
    BOOST_TEST(!expected.may_come_for(buy, start + 2s));
}

BOOST_AUTO_TEST_CASE(one_whose_time_has_passed_may_not_come_even_if_it_has_not_been_forgotten_yet)
{
    upstream::late_replies expected;
    for (int count = 0; count < 1'000; ++count)
        expected.expect(buy, start + 1s);
    expected.expect(sell, start + 1s);

    BOOST_TEST(!expected.may_come_for(sell, start + 1s));
}

BOOST_AUTO_TEST_CASE(a_million_are_as_many_as_it_holds_until_it_forgets_those_whose_time_has_passed)
{
    upstream::late_replies expected;
    for (int count = 0; count < 999'999; ++count)
        expected.expect(buy, start + 1s);
    BOOST_TEST(!expected.full());
    expected.expect(buy, start + 1s);

    BOOST_TEST(!expected.may_come_for(sell, start + 1s - 1ns));
    BOOST_TEST(expected.full());
    BOOST_TEST(!expected.may_come_for(sell, start + 1s));
    BOOST_TEST(!expected.full());
}

BOOST_AUTO_TEST_SUITE_END()

// The buffer in which a codec keeps its bytes.
#include "upstream/input_buffer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string_view>

namespace {

namespace upstream = causeway::upstream;

void receive(upstream::input_buffer& input, std::string_view bytes)
{
    const auto space = input.space();
    BOOST_TEST_REQUIRE(bytes.size() <= space.size());
    std::ranges::copy(bytes, space.begin());
    input.received(bytes.size());
}

} // namespace

BOOST_AUTO_TEST_SUITE(input_buffer)

BOOST_AUTO_TEST_CASE(what_has_come_is_unread_until_it_is_taken)
{
    upstream::input_buffer input(16);
    BOOST_TEST(input.unread() == "");
    receive(input, "one,");
    receive(input, "two");

    BOOST_TEST(input.unread() == "one,two");
    BOOST_TEST(input.take(4) == "one,");
    BOOST_TEST(input.unread() == "two");
    BOOST_TEST(input.take(3) == "two");
    BOOST_TEST(input.unread() == "");
}

BOOST_AUTO_TEST_CASE(what_was_taken_makes_room)
{
    upstream::input_buffer input(8);
    receive(input, "12345678");
    BOOST_TEST(input.space().size() == 0U);

    input.take(5);
    BOOST_TEST(input.space().size() == 5U);
    receive(input, "abcde");
    BOOST_TEST(input.unread() == "678abcde");
}

BOOST_AUTO_TEST_CASE(what_is_taken_stays_valid_while_more_is_taken)
{
    upstream::input_buffer input(8);
    receive(input, "12345678");
    const auto first = input.take(4);
    const auto second = input.take(4);
    BOOST_TEST(first == "1234");
    BOOST_TEST(second == "5678");
}

BOOST_AUTO_TEST_SUITE_END()

#include "upstream/key.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <unordered_set>

namespace {

using upstream_key = causeway::upstream::key;

BOOST_AUTO_TEST_SUITE(key)

BOOST_AUTO_TEST_CASE(it_keeps_what_it_was_made_of)
{
    const std::string longest(upstream_key::longest, 'x');
    BOOST_TEST(upstream_key("404").text() == "404");
    BOOST_TEST(upstream_key("").text() == "");
    BOOST_TEST(upstream_key(longest).text() == longest);
}

BOOST_AUTO_TEST_CASE(it_is_equal_only_to_the_same_bytes)
{
    using namespace std::string_view_literals;
    BOOST_TEST((upstream_key("404") == upstream_key("404")));
    BOOST_TEST((upstream_key("404") != upstream_key("405")));
    BOOST_TEST((upstream_key("a") != upstream_key("a\0"sv)));
}

BOOST_AUTO_TEST_CASE(equal_keys_have_equal_hashes_and_others_hardly_ever)
{
    const std::hash<upstream_key> hash;
    std::unordered_set<std::size_t> hashes;
    std::unordered_set<std::size_t> low_bits;
    for (int number = 0; number != 10'000; ++number) {
        const auto text = std::to_string(number);
        BOOST_TEST_REQUIRE(hash(upstream_key(text)) == hash(upstream_key(text)));
        hashes.insert(hash(upstream_key(text)));
        low_bits.insert(hash(upstream_key(text)) % 1024);
    }
    BOOST_TEST(hashes.size() == 10'000U);
    BOOST_TEST(low_bits.size() > 1000U); // which is what a table of that size looks at
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

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
    const causeway::upstream::key_hash hash;
    std::unordered_set<std::size_t> hashes;
    std::unordered_set<std::size_t> low_bits;
    for (int number = 0; number != 10'000; ++number) {
        const auto text = std::to_string(number);
        BOOST_TEST_REQUIRE(hash(upstream_key(text)) == hash(upstream_key(text)));
        hashes.insert(hash(upstream_key(text)));
        low_bits.insert(hash(upstream_key(text)) % 1024);
    }
    BOOST_TEST(hashes.size() > 9'995U);
    BOOST_TEST(low_bits.size() > 900U); // which is what a table of that size looks at
}

BOOST_AUTO_TEST_CASE(whoever_knows_which_keys_share_a_bucket_in_one_table_does_not_know_it_of_another)
{
    constexpr std::size_t buckets = 1031;
    const causeway::upstream::key_hash one;
    const causeway::upstream::key_hash another;
    std::size_t together = 0;
    std::unordered_set<std::size_t> elsewhere;
    for (int number = 0; number != 100'000; ++number) {
        const upstream_key key(std::to_string(number));
        if (one(key) % buckets != 0)
            continue;
        ++together;
        elsewhere.insert(another(key) % buckets);
    }
    BOOST_TEST(together > 50U);
    BOOST_TEST(elsewhere.size() > together / 2);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace

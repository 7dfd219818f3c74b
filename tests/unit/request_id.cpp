#include "http/access.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace {

namespace http = causeway::http;

// The id of a request whose client has offered this.
std::string id_after(std::string_view offered)
{
    http::access access;
    access.offer_id(offered);
    return access.id;
}

} // namespace

BOOST_AUTO_TEST_SUITE(request_id)

BOOST_AUTO_TEST_CASE(an_id_of_letters_digits_and_a_few_marks_is_taken_over)
{
    BOOST_TEST(id_after("a") == "a");
    BOOST_TEST(id_after("5f2c-Q.9_z") == "5f2c-Q.9_z");
    BOOST_TEST(id_after(std::string(http::access::longest_id, 'x')) == std::string(http::access::longest_id, 'x'));
}

BOOST_AUTO_TEST_CASE(any_other_id_is_not)
{
    BOOST_TEST(id_after("").empty());
    BOOST_TEST(id_after(std::string(http::access::longest_id + 1, 'x')).empty());
    for (int byte = 0; byte != 256; ++byte) {
        const auto c = static_cast<char>(byte);
        const bool is_sane = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
                             c == '_' || c == '-';
        BOOST_TEST(id_after(std::string("a") + c + "b").empty() != is_sane, "byte " << byte);
    }
}

BOOST_AUTO_TEST_CASE(of_several_ids_none_is_taken_over)
{
    http::access access;
    for (const auto* offered : {"one", "two", "three"})
        access.offer_id(offered);
    BOOST_TEST(access.id.empty());

    access.restart();
    access.offer_id("four");
    BOOST_TEST(access.id == "four");
}

BOOST_AUTO_TEST_SUITE_END()

#include "service/cannot_listen.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

namespace asio = causeway::asio;

std::string complaint(const causeway::error_code& error, bool share_port = false)
{
    return causeway::service::cannot_listen({"localhost", 80}, error, share_port).what();
}

bool names(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

} // namespace

BOOST_AUTO_TEST_SUITE(cannot_listen)

BOOST_AUTO_TEST_CASE(it_says_in_one_line_where_and_why)
{
    const auto text = complaint(asio::error::address_in_use);
    BOOST_TEST(names(text, "localhost:80"));
    BOOST_TEST(names(text, causeway::error_code(asio::error::address_in_use).message()));
    BOOST_TEST(!names(text, "\n"));
}

BOOST_AUTO_TEST_CASE(its_advice_fits_the_reason)
{
    BOOST_TEST(names(complaint(asio::error::no_descriptors), "ulimit -n"));
    BOOST_TEST(names(complaint(asio::error::access_denied), "CAP_NET_BIND_SERVICE"));
    BOOST_TEST(names(complaint(asio::error::host_not_found), "another address with --listen"));
    BOOST_TEST(names(complaint(asio::error::address_in_use), "--share-port"));
}

BOOST_AUTO_TEST_CASE(a_user_who_has_asked_to_share_the_port_is_not_told_to)
{
    const auto text = complaint(asio::error::address_in_use, true);
    BOOST_TEST(!names(text, "--share-port"));
    BOOST_TEST(names(text, "same user"));
}

BOOST_AUTO_TEST_CASE(of_the_admin_pages_it_names_their_option)
{
    const std::string text =
        causeway::service::cannot_listen_for_admin({"localhost", 80}, asio::error::address_in_use).what();
    BOOST_TEST(names(text, "localhost:80"));
    BOOST_TEST(names(text, "another address with --admin, or --admin=off"));
    BOOST_TEST(!names(text, "--listen"));
}

BOOST_AUTO_TEST_SUITE_END()

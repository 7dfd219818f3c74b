// Programs that a user has built against the installed library, those in tests/package.
#include "blocking.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <set>
#include <string>

namespace causeway::test {
namespace {

const std::string folder = CAUSEWAY_USERS_PROGRAMS;

void ask(connection& client, const std::string& path)
{
    client.send("GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
}

} // namespace

BOOST_AUTO_TEST_SUITE(users_programs)

BOOST_AUTO_TEST_CASE(a_handler_of_a_users_own_is_served_until_sigterm)
{
    server_process greeter(folder + "/greeter", {"127.0.0.1:0"});
    connection client(greeter.port());

    ask(client, "/");
    const auto page = receive_answer(client);
    BOOST_TEST(page.status == 200);
    BOOST_TEST(page.head.find("Content-Type: text/plain\r\n") != std::string::npos, page.head);
    BOOST_TEST(page.body == "Hello\n");
    ask(client, "/other");
    BOOST_TEST(receive_answer(client).status == 404);

    greeter.signal(SIGTERM);
    BOOST_TEST(greeter.wait() == 0);
}

// [dictionary]
BOOST_AUTO_TEST_CASE(each_reply_in_a_protocol_of_a_users_own_finds_the_request_that_asked_for_it)
{
    listener backend;
    server_process dictionary(folder + "/dictionary", {"127.0.0.1:0", backend.address()});
    connection first(dictionary.port());
    connection second(dictionary.port());
    ask(first, "/causeway");
    ask(second, "/bridge");
    auto upstream = backend.accept();
    const std::set<std::string> questions{upstream.receive_line(), upstream.receive_line()};
    BOOST_TEST(questions == (std::set<std::string>{"bridge\n", "causeway\n"}), boost::test_tools::per_element());

    upstream.send("bridge: it leads over water\ncauseway: it leads through it\n");

    BOOST_TEST(receive_answer(first).body == R"({"explanation":"causeway: it leads through it\n"})");
    BOOST_TEST(receive_answer(second).body == R"({"explanation":"bridge: it leads over water\n"})");
    ask(first, "/not-a-word");
    BOOST_TEST(receive_answer(first).status == 400);
}
// [/dictionary]

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

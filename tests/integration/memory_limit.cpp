// The bridge when it runs out of memory.
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

namespace causeway::test {
namespace {

// Fills `crowd` with clients whose header sections are incomplete, until no more are accepted. Each costs the server 8
// KiB while it is connected.
void take_memory(std::vector<connection>& crowd, std::uint16_t port)
{
    constexpr std::size_t enough = 500;
    const auto part_of_a_head = "GET /?statusCode=404 HTTP/1.1\r\nX: " + std::string(7000, 'x');
    try {
        while (crowd.size() != enough) {
            crowd.emplace_back(port);
            crowd.back().send(part_of_a_head);
        }
    } catch (const std::system_error&) {
        // The server has ended.
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(memory_limit)

BOOST_AUTO_TEST_CASE(without_more_memory_it_ends_at_once_and_says_so)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1"}));
    const auto port = causeway.port();
    BOOST_TEST(is_right(get(port, "404"), "404"));

    const rlim_t present = 1024 * causeway.data_kibibytes();
    const rlimit no_more{present, present};
    BOOST_REQUIRE(prlimit(causeway.id(), RLIMIT_DATA, &no_more, nullptr) == 0);
    std::vector<connection> crowd;
    take_memory(crowd, port);

    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST(causeway.standard_error().find("causeway: out of memory; ending.") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

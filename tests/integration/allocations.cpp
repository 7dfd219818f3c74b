// How many heap allocations a request makes, and how much memory a connection keeps. A separate program, because it
// replaces the operator new.
#include "blocking.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/event_loop.hpp"

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

thread_local std::size_t allocations_of_this_thread = 0;

// What a thread has allocated and not freed.
thread_local std::atomic<std::ptrdiff_t> bytes_of_this_thread = 0;

void free_memory(void* memory) noexcept
{
    bytes_of_this_thread -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    std::free(memory);
}

} // namespace

void* operator new(std::size_t size)
{
    ++allocations_of_this_thread;
    void* memory = std::malloc(size);
    if (memory == nullptr)
        throw std::bad_alloc();
    bytes_of_this_thread += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    return memory;
}

void operator delete(void* memory) noexcept { free_memory(memory); }
void operator delete(void* memory, std::size_t) noexcept { free_memory(memory); }

namespace causeway::test {
namespace {

using namespace std::chrono_literals;

struct load {
    std::size_t connections;
    std::size_t cookie = 10; // bytes in each request
    const char* access_log = nullptr;
};

// One event loop on its own thread, between clients and a backend that this thread plays. Returns the allocations of
// the loop's thread from its start to its end.
std::size_t allocations_in(std::size_t rounds, const load& load)
{
    const auto request =
        "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nCookie: " + std::string(load.cookie, 'x') + "\r\n\r\n";
    listener backend;
    service::access_writer writer;
    service::shared_limits limits{net::limit(1024), net::limit(1024)};
    const upstream::pool_settings pool{
        {net::host_port{"127.0.0.1", backend.port()}}, 10s, 1s, 1024, false, codes::protocol()};
    service::event_loop loop({asio::ip::address_v4::loopback(), 0}, net::port_sharing::afterwards, pool, {}, limits);
    if (load.access_log != nullptr)
        loop.log_accesses(writer, writer.open(load.access_log), service::log_format::text);
    std::size_t allocations = 0;
    std::jthread thread([&] {
        loop.run();
        allocations = allocations_of_this_thread;
    });

    auto upstream = backend.accept();
    std::vector<connection> clients;
    while (clients.size() != load.connections)
        clients.emplace_back(loop.endpoint().port());
    for (std::size_t round = 0; round != rounds; ++round) {
        for (auto& client : clients)
            client.send(request);
        std::string replies;
        for (std::size_t asked = 0; asked != load.connections; ++asked)
            replies += "Code " + upstream.receive(4).substr(0, 3) + ": Not Found, and somewhat more to say about it\n";
        upstream.send(replies);
        for (auto& client : clients)
            BOOST_TEST_REQUIRE(receive_answer(client).status == 200);
    }
    loop.drain();
    thread.join();
    return allocations;
}

double allocations_of_a_request(const load& load)
{
    const auto after_few = allocations_in(10, load);
    const auto after_many = allocations_in(110, load);
    const auto each = static_cast<double>(after_many - after_few) / static_cast<double>(100 * load.connections);
    BOOST_TEST_MESSAGE(load.connections << " connections: " << each << " allocations for a request");
    return each;
}

} // namespace

BOOST_AUTO_TEST_SUITE(allocations)

BOOST_AUTO_TEST_CASE(a_request_by_itself_makes_one) { BOOST_TEST(allocations_of_a_request({.connections = 1}) < 1.5); }

BOOST_AUTO_TEST_CASE(a_request_among_many_makes_five)
{
    BOOST_TEST(allocations_of_a_request({.connections = 64}) < 5.5);
}

BOOST_AUTO_TEST_CASE(the_access_log_adds_none)
{
    BOOST_TEST(allocations_of_a_request({.connections = 1, .access_log = "/dev/null"}) < 1.5);
    BOOST_TEST(allocations_of_a_request({.connections = 64, .access_log = "/dev/null"}) < 5.5);
}

BOOST_AUTO_TEST_CASE(a_head_as_long_as_the_last_one_adds_none)
{
    BOOST_TEST(allocations_of_a_request({.connections = 1, .cookie = 600}) < 1.5);
    BOOST_TEST(allocations_of_a_request({.connections = 1, .cookie = 1'500}) < 1.5);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_keeps_no_memory_of_a_long_request_and_its_long_answer)
{
    constexpr std::size_t connections = 20;
    const auto long_question = "404&more=" + std::string(4'000, 'x');
    const auto long_reply = "Code 404: " + std::string(60'000, 'x') + "\n";
    listener backend;
    service::shared_limits limits{net::limit(1024), net::limit(1024)};
    const upstream::pool_settings pool{
        {net::host_port{"127.0.0.1", backend.port()}}, 10s, 1s, 1024, false, codes::protocol()};
    service::event_loop loop({asio::ip::address_v4::loopback(), 0}, net::port_sharing::afterwards, pool, {}, limits);
    std::promise<std::atomic<std::ptrdiff_t>*> bytes_of_the_loop;
    std::jthread thread([&] {
        bytes_of_the_loop.set_value(&bytes_of_this_thread);
        loop.run();
    });
    auto upstream = backend.accept();
    const auto ask = [&](connection& client, const std::string& question, const std::string& reply) {
        send_request(client, question);
        BOOST_TEST_REQUIRE(upstream.receive(4) == "404\n");
        upstream.send(reply);
        BOOST_TEST_REQUIRE(receive_answer(client).status == 200);
    };

    auto& bytes = *bytes_of_the_loop.get_future().get();
    connection first(loop.endpoint().port());
    ask(first, long_question, long_reply); // the upstream's buffer, which all share, grows
    std::vector<connection> clients;
    while (clients.size() != connections)
        ask(clients.emplace_back(loop.endpoint().port()), "404", "Code 404: short\n");
    const auto before = bytes.load();
    for (auto& client : clients)
        ask(client, long_question, long_reply);
    ask(first, "404", "Code 404: short\n"); // then the last of the others is idle too
    const auto each = (bytes.load() - before) / static_cast<std::ptrdiff_t>(connections);
    BOOST_TEST_MESSAGE(each << " bytes more for each connection");
    BOOST_TEST(each < 512);

    loop.drain();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

// What happens to an event loop when memory runs out: for each k, its k-th allocation fails, in each phase of its life.
// A separate program, because it replaces the operator new; each attempt is a separate process, because that may end.
#include "blocking.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/event_loop.hpp"
#include "service/out_of_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <thread>

namespace {

thread_local bool is_loop = false;

// How many allocations of the loop's thread still succeed before one fails; negative when none is to fail.
std::atomic<long> successes_left = -1;

bool is_to_fail()
{
    return is_loop && successes_left.load(std::memory_order_relaxed) >= 0 && successes_left.fetch_sub(1) == 0;
}

} // namespace

// As the standard wants it ([new.delete.single]): when there is no memory, the new-handler decides.
void* operator new(std::size_t size)
{
    void* memory = is_to_fail() ? nullptr : std::malloc(size);
    while (memory == nullptr) {
        const auto handler = std::get_new_handler();
        if (handler == nullptr)
            throw std::bad_alloc();
        handler();
        memory = std::malloc(size);
    }
    return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace causeway::test {
namespace {

using namespace std::chrono_literals;

// Exit statuses of an attempt. A process that runs out of memory has status 1.
constexpr int goes_on = 0;
constexpr int was_not_reached = 10;
constexpr int does_not_serve = 11;

// An event loop on its own thread, between clients and a backend that this thread plays.
class world {
public:
    world()
        : loop_({asio::ip::address_v4::loopback(), 0}, net::port_sharing::afterwards,
                {{net::host_port{"127.0.0.1", backend_.port()}}, 5s, 50ms, 1024, false, codes::protocol()}, {}, limits_)
        , port_(loop_.endpoint().port())
    {
    }

    void log_accesses() { loop_.log_accesses(writer_, writer_.open("/dev/null"), service::log_format::json); }

    void start()
    {
        thread_.emplace([this] {
            is_loop = true;
            loop_.run();
        });
        upstream_.emplace(backend_.accept());
    }

    void connect()
    {
        client_.emplace(port_);
        ask(); // by now it is accepted
    }

    void ask()
    {
        send_request(*client_, "404");
        upstream_->send("Code " + upstream_->receive(4).substr(0, 3) + ": Not Found\n");
        if (receive_answer(*client_).status != 200)
            ::_exit(does_not_serve);
    }

    void lose_the_upstream()
    {
        upstream_->close();
        upstream_.emplace(backend_.accept());
    }

    void drain()
    {
        client_.reset();
        loop_.drain();
        thread_->join();
    }

private:
    listener backend_;
    service::access_writer writer_;
    service::shared_limits limits_{net::limit(1024), net::limit(1024)};
    service::event_loop loop_;
    std::uint16_t port_;
    std::optional<std::jthread> thread_;
    std::optional<connection> upstream_;
    std::optional<connection> client_;
};

struct phase {
    const char* name;
    void (*before)(world&);
    void (*act)(world&);
    bool serves_afterwards = true;
};

// The k-th allocation of the loop fails while it acts.
[[noreturn]] void attempt(const phase& phase, long k)
{
    ::alarm(30); // seconds; a hang ends as SIGALRM
    service::end_when_out_of_memory("test");
    world world;
    phase.before(world);
    successes_left = k - 1;
    phase.act(world);
    const bool reached = successes_left < 0;
    successes_left = -1;
    if (phase.serves_afterwards)
        world.ask();
    ::_exit(reached ? goes_on : was_not_reached);
}

// Its exit status, or 128 plus the number of the signal that ended it.
int status_of_attempt(const phase& phase, long k, std::string& said)
{
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe(ends) == 0);
    descriptor output(ends[0]);
    descriptor input(ends[1]);
    const auto child = ::fork();
    if (child == 0) {
        ::dup2(input.number(), STDERR_FILENO);
        attempt(phase, k);
    }
    input.close();
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(output.number(), buffer, sizeof buffer)) > 0;)
        said.append(buffer, static_cast<std::size_t>(count));
    int status = 0;
    BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void try_every_allocation(const phase& phase)
{
    long k = 1;
    for (;; ++k) {
        std::string said;
        const auto status = status_of_attempt(phase, k, said);
        if (status == was_not_reached)
            break;
        BOOST_TEST_CONTEXT(phase.name << ", allocation " << k << ", said: " << said)
        {
            BOOST_TEST((status == goes_on || (status == 1 && said.find("out of memory") != std::string::npos)),
                       "status " << status);
        }
        BOOST_TEST_REQUIRE(k < 10'000);
    }
    BOOST_TEST_MESSAGE(phase.name << ": " << k - 1 << " allocations");
    BOOST_TEST(k > 1);
}

} // namespace

BOOST_AUTO_TEST_SUITE(failing_allocations)

BOOST_AUTO_TEST_CASE(while_starting_it_serves_or_ends)
{
    try_every_allocation({"starting", [](world&) {},
                          [](world& world) {
                              world.start();
                              world.connect();
                          }});
}

BOOST_AUTO_TEST_CASE(while_accepting_it_serves_or_ends)
{
    try_every_allocation({"accepting", [](world& world) { world.start(); }, [](world& world) { world.connect(); }});
}

BOOST_AUTO_TEST_CASE(while_answering_it_serves_or_ends)
{
    try_every_allocation({"answering",
                          [](world& world) {
                              world.start();
                              world.connect();
                          },
                          [](world& world) { world.ask(); }});
}

BOOST_AUTO_TEST_CASE(while_answering_with_an_access_log_it_serves_or_ends)
{
    try_every_allocation({"answering with an access log",
                          [](world& world) {
                              world.log_accesses();
                              world.start();
                              world.connect();
                          },
                          [](world& world) { world.ask(); }});
}

BOOST_AUTO_TEST_CASE(while_reconnecting_it_serves_or_ends)
{
    try_every_allocation({"reconnecting",
                          [](world& world) {
                              world.start();
                              world.connect();
                          },
                          [](world& world) { world.lose_the_upstream(); }});
}

BOOST_AUTO_TEST_CASE(while_draining_it_ends)
{
    try_every_allocation({"draining",
                          [](world& world) {
                              world.start();
                              world.connect();
                          },
                          [](world& world) { world.drain(); }, false});
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

// What the programs tell the service manager that has started them: that they are ready, reload, stop, and live.
#include "blocking.hpp"
#include "load.hpp"
#include "notify_socket.hpp"
#include "process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <sys/ptrace.h>
#include <sys/wait.h>

namespace causeway::test {
namespace {

// Half of it passes between two signs of life.
const std::string short_watchdog = "WATCHDOG_USEC=200000";

words environment_for(const notify_socket& manager, const words& more = {})
{
    words all{"NOTIFY_SOCKET=" + manager.name()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

bool is_sign_of_life(const std::string& status) { return status.ends_with("\nWATCHDOG=1"); }

std::int64_t monotonic_microseconds()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// The number behind `name` in a message.
std::int64_t number_in(const std::string& message, std::string_view name)
{
    const auto at = message.find(name);
    BOOST_TEST_REQUIRE(at != std::string::npos, message);
    return std::stoll(message.substr(at + name.size()));
}

// The threads of a process but its first, in the order in which they were made.
std::vector<int> other_threads_of(const process& program)
{
    std::vector<int> threads;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(program.id()) + "/task"))
        threads.push_back(std::stoi(entry.path().filename()));
    std::ranges::sort(threads);
    threads.erase(threads.begin());
    return threads;
}

// A thread of a started program that stands still while the others go on, for as long as this object lives.
class held_thread {
public:
    explicit held_thread(int thread)
        : thread_(thread)
    {
        if (ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0 ||
            ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0 || waitpid(thread_, nullptr, __WALL) != thread_)
            throw std::system_error(errno, std::generic_category(), "ptrace");
    }
    ~held_thread() { ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
    held_thread(const held_thread&) = delete;
    held_thread& operator=(const held_thread&) = delete;

private:
    int thread_;
};

struct fixture {
    code_server_process code_server{on_a_free_port};
    notify_socket manager;
};

} // namespace

BOOST_AUTO_TEST_SUITE(service_manager)

// The bridge

BOOST_DATA_TEST_CASE(a_bridge_tells_that_it_is_ready_reloads_and_stops, boost::unit_test::data::make({false, true}))
{
    notify_socket manager(sample);
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--drain-delay=2h", "--drain-timeout=1h"}),
                              environment_for(manager));
    BOOST_TEST(manager.receive_state() == "READY=1");
    BOOST_TEST(accepts_connections(causeway.port()));

    const auto before = monotonic_microseconds();
    causeway.signal(SIGHUP);
    const auto reloading = manager.receive_state();
    BOOST_TEST(reloading.starts_with("RELOADING=1\n"));
    BOOST_TEST(number_in(reloading, "\nMONOTONIC_USEC=") >= before);
    BOOST_TEST(number_in(reloading, "\nMONOTONIC_USEC=") <= monotonic_microseconds());
    BOOST_TEST(manager.receive_state() == "READY=1");

    causeway.signal(SIGTERM);
    const auto stopping = manager.receive_state();
    BOOST_TEST(stopping.starts_with("STOPPING=1\n"));
    BOOST_TEST(number_in(stopping, "\nEXTEND_TIMEOUT_USEC=") == 3 * 3'600'000'000 + 5'000'000);
    causeway.signal(SIGHUP);
    causeway.wait_for_line("reload: no setting has changed", 2);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(manager.state_at_hand().value_or("none") == "none"); // also of the reload
}

BOOST_FIXTURE_TEST_CASE(a_line_of_figures_is_kept_up_to_date, fixture)
{
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=2"}),
                              environment_for(manager, {short_watchdog}));
    manager.wait_for_status(
        "STATUS=ok; 0 connections, 0 requests wait, 2 of 2 event loops have an upstream; 0 replies");
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").status == 200);
    manager.wait_for_status(
        "STATUS=ok; 1 connections, 0 requests wait, 2 of 2 event loops have an upstream; 1 replies");
    causeway.signal(SIGTERM);
    BOOST_TEST(!manager.wait_for_status("STATUS=draining; ").empty());
}

BOOST_FIXTURE_TEST_CASE(the_watchdog_hears_nothing_while_one_of_several_event_loops_stands_still, fixture)
{
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=3"}),
                              environment_for(manager, {short_watchdog}));
    BOOST_TEST(is_sign_of_life(manager.wait_for_status("3 of 3 event loops have an upstream")));

    // The second one serves also where a sanitizer has a thread of its own.
    std::optional<held_thread> held(other_threads_of(causeway).at(1));
    BOOST_TEST(!is_sign_of_life(manager.wait_for_status("1 of 3 event loops did not answer within 1000 ms")));
    BOOST_TEST(!is_sign_of_life(manager.receive_status()));

    held.reset();
    BOOST_TEST(is_sign_of_life(manager.wait_for_status("STATUS=ok; ")));
}

BOOST_FIXTURE_TEST_CASE(a_process_that_is_not_watched_gives_no_signs_of_life, fixture)
{
    causeway_process unwatched(in_front_of({code_server.address()}), environment_for(manager));
    BOOST_TEST(!is_sign_of_life(manager.receive_status()));
    notify_socket of_the_parent;
    causeway_process child(in_front_of({code_server.address()}),
                           environment_for(of_the_parent, {short_watchdog, "WATCHDOG_PID=1"}));
    BOOST_TEST(!is_sign_of_life(of_the_parent.receive_status()));
}

BOOST_FIXTURE_TEST_CASE(where_its_socket_is_full_it_serves_and_tells_later_that_it_is_ready, fixture)
{
    manager.fill();
    causeway_process causeway(in_front_of({code_server.address()}), environment_for(manager, {short_watchdog}));
    BOOST_TEST(get(causeway.port(), "404").status == 200);
    causeway.signal(SIGHUP);
    causeway.wait_for_line("reload: no setting has changed");
    BOOST_TEST(manager.receive_state() == "READY=1");
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_any_more_it_serves_and_stops)
{
    code_server_process code_server(on_a_free_port);
    std::optional<notify_socket> manager(std::in_place);
    causeway_process causeway(in_front_of({code_server.address()}), environment_for(*manager, {short_watchdog}));
    BOOST_TEST(manager->receive_state() == "READY=1");
    manager.reset();
    BOOST_TEST(get(causeway.port(), "404").status == 200);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_socket_of_another_kind_is_named_in_the_log)
{
    causeway_process causeway(in_front_of({"127.0.0.1:1"}), {"NOTIFY_SOCKET=vsock:2:1234"});
    causeway.wait_for_line("NOTIFY_SOCKET=vsock:2:1234 is neither a path nor an @ and a name");
    causeway.port();
}

// The code server

BOOST_FIXTURE_TEST_CASE(a_code_server_tells_that_it_is_ready_reloads_lives_and_stops, fixture)
{
    server_process program(CODE_SERVER_PROGRAM, on_a_free_port, environment_for(manager, {short_watchdog}));
    BOOST_TEST(manager.receive_state() == "READY=1");
    BOOST_TEST(accepts_connections(program.port()));
    connection client(program.port());
    BOOST_TEST(is_sign_of_life(manager.wait_for_status("STATUS=1 clients")));
    program.signal(SIGHUP);
    BOOST_TEST(manager.receive_state().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    BOOST_TEST(manager.receive_state() == "READY=1");
    program.signal(SIGTERM);
    BOOST_TEST(manager.receive_state().starts_with("STOPPING=1\n"));
    BOOST_TEST(program.wait() == 0);
    BOOST_TEST(manager.state_at_hand().value_or("none") == "none");
}

BOOST_AUTO_TEST_CASE(a_code_server_that_waits_for_its_address_is_not_ready)
{
    notify_socket manager;
    listener other;
    server_process program(CODE_SERVER_PROGRAM, {"--listen=" + other.address(), "--bind-retry=20ms"},
                           environment_for(manager, {short_watchdog}));
    program.wait_for_line("in use");
    program.signal(SIGHUP);
    program.wait_for_line("reload: no setting has changed");
    BOOST_TEST(is_sign_of_life(manager.wait_for_status("STATUS=0 clients")));
    BOOST_TEST(manager.state_at_hand().value_or("none") == "none");
    other.close();
    BOOST_TEST(manager.receive_state() == "READY=1");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

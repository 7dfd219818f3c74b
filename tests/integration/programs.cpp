// The programs as a user starts them: command line, exit status, signals, and backends that come and go.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <ostream>
#include <system_error>

namespace causeway::test {
namespace {

// A system as bare as debootstrap leaves it has no /etc/hosts.
boost::test_tools::assertion_result where_localhost_is_known(boost::unit_test::test_unit_id /*test*/)
{
    return knows_localhost();
}

// Not in every container, or without such a file.
boost::test_tools::assertion_result where_names_can_be_changed(boost::unit_test::test_unit_id /*test*/)
{
    return names_can_be_changed();
}

// Not possible where every user may listen on every port, as in some containers.
boost::test_tools::assertion_result where_low_ports_can_be_denied(boost::unit_test::test_unit_id /*test*/)
{
    std::ifstream setting("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    int first_port_for_all = 0;
    return static_cast<bool>(setting >> first_port_for_all) && first_port_for_all > 1;
}

boost::test_tools::assertion_result with_ipv6(boost::unit_test::test_unit_id /*test*/) { return has_ipv6(); }

// The arguments of a shell that becomes `program` without the right to listen on a low port.
words without_privileges(const std::string& program, const words& arguments)
{
    words all{"-c", R"(exec setpriv --bounding-set=-net_bind_service "$0" "$@")", program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

// How a program was called, and what the line on its standard error must contain.
struct call {
    std::string program;
    words arguments;
    std::string named;

    friend std::ostream& operator<<(std::ostream& output, const call& call)
    {
        output << call.program;
        for (const auto& argument : call.arguments)
            output << ' ' << argument;
        return output;
    }
};

const std::string causeway_path = CAUSEWAY_PROGRAM;
const std::string code_server_path = CODE_SERVER_PROGRAM;
const std::string iso8583_host_path = ISO8583_HOST_PROGRAM;

bool is_one_line(std::string_view text) { return text.size() > 1 && text.find('\n') == text.size() - 1; }

const std::vector<call> wrong_usage{
    {causeway_path, {"--nonsense"}, "--nonsense"},
    {causeway_path, {"--thread=1"}, "--thread"}, // not accepted as an abbreviation
    {causeway_path, {"--listen"}, "--listen"},
    {causeway_path, {"--listen=8090"}, "--listen"},
    {causeway_path, {"--listen=two\nlines"}, "--listen"},
    {causeway_path, {"--listen=::1:8090"}, "--listen"},
    {causeway_path, {"--listen=127.0.0.1:1", "--listen=127.0.0.1:2"}, "--listen"},
    {causeway_path, {"--upstream=127.0.0.1:0"}, "--upstream"},
    {causeway_path, {"--upstream=127.0.0.1:1", "--upstream=somewhere"}, "--upstream"},
    {causeway_path, {"--reply-timeout=2"}, "--reply-timeout"},
    {causeway_path, {"--reconnect-max=0s"}, "--reconnect-max"},
    {causeway_path, {"--upstream-window=0"}, "--upstream-window"},
    {causeway_path, {"--max-pending=many"}, "--max-pending"},
    {causeway_path, {"--max-connections=-1"}, "--max-connections"},
    {causeway_path, {"--idle-timeout=0s"}, "--idle-timeout"},
    {causeway_path, {"--write-timeout=10"}, "--write-timeout"},
    {causeway_path, {"--threads=0"}, "--threads"},
    {causeway_path, {"--share-port=yes"}, "--share-port"},
    {causeway_path, {"--drain-timeout=-1s"}, "--drain-timeout"},
    {causeway_path, {"--log-level=loud"}, "--log-level"},
    {causeway_path, {"127.0.0.1:8090"}, "--help"},
    {code_server_path, {"--upstream=127.0.0.1:1"}, "--upstream"},
    {code_server_path, {"--listen=9670"}, "--listen"},
    {code_server_path, {"--bind-retry=soon"}, "--bind-retry"},
    {code_server_path, {"--log-level=loud"}, "--log-level"},
    {iso8583_host_path, {"--upstream=127.0.0.1:1"}, "--upstream"},
    {iso8583_host_path, {"--iso8583-frame=binary3"}, "--iso8583-frame"},
    {iso8583_host_path, {"--iso8583-header=6"}, "--iso8583-header"},
    {iso8583_host_path, {"--iso8583-key=7,11"}, "--iso8583-key"},
};

const std::vector<call> impossible_places{
    {causeway_path, {"--listen=192.0.2.1:8090", "--upstream=127.0.0.1:1"}, "--listen"},
    {causeway_path, {"--listen=a..b:8090", "--upstream=127.0.0.1:1"}, "--listen"},
    {code_server_path, {"--listen=192.0.2.1:9670"}, "--listen"},
    {code_server_path, {"--listen=a..b:9670"}, "--listen"},
    {iso8583_host_path, {"--listen=192.0.2.1:9583"}, "--listen"},
};

// If the kernel overcommits memory, a thread can have any stack.
boost::test_tools::assertion_result where_a_stack_can_be_too_large(boost::unit_test::test_unit_id /*test*/)
{
    std::ifstream setting("/proc/sys/vm/overcommit_memory");
    int policy = 0;
    return static_cast<bool>(setting >> policy) && policy != 1;
}

// The arguments of a shell that becomes causeway with a stack of a terabyte for each thread.
words with_stacks_that_are_too_large(const words& arguments)
{
    words all{"-c", R"(ulimit -s 1000000000 && exec "$0" "$@")", causeway_path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

// The arguments of a shell that becomes causeway without the standard streams that `redirections` close.
words without_streams(const std::string& redirections, const words& arguments)
{
    words all{"-c", R"(exec "$0" "$@" )" + redirections, causeway_path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

// The arguments of a shell that becomes causeway with at most `files` open files.
words with_open_files(const std::string& files, const words& arguments)
{
    words all{"-c", R"(ulimit -n "$0" && exec "$@")", files, causeway_path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(programs)

// Command line

BOOST_DATA_TEST_CASE(help_and_version_go_to_standard_output,
                     boost::unit_test::data::make({causeway_path, code_server_path, iso8583_host_path}))
{
    process help(sample, {"--help"});
    BOOST_TEST(help.wait() == 0);
    BOOST_TEST(help.standard_output().find("--listen HOST:PORT") != std::string::npos);
    BOOST_TEST(help.standard_error() == "");

    process version(sample, {"--version"});
    BOOST_TEST(version.wait() == 0);
    BOOST_TEST(version.standard_output().starts_with(sample.substr(sample.rfind('/') + 1) + ' '));
    BOOST_TEST(is_one_line(version.standard_output()));
    BOOST_TEST(version.standard_error() == "");
}

// Half a file would be taken for the whole.
BOOST_DATA_TEST_CASE(what_a_user_has_asked_for_and_cannot_be_written_is_an_error,
                     boost::unit_test::data::make({causeway_path, code_server_path, iso8583_host_path}))
{
    for (const auto* question : {"--help", "--version", "--check-config"}) {
        process program("/bin/sh", {"-c", R"(exec "$0" "$1" > /dev/full)", sample, question});
        BOOST_TEST(program.wait() == 1, question);
        BOOST_TEST(is_one_line(program.standard_error()));
        BOOST_TEST(program.standard_error().find("cannot write to standard output") != std::string::npos);
    }
}

// The limit is one block, not nothing, because the thread sanitizer writes a file before the program starts.
BOOST_AUTO_TEST_CASE(wrong_usage_ends_with_2_even_if_nothing_can_be_said_of_it)
{
    const temporary_directory directory;
    const auto full_file = directory.path() + "/full";
    write_file(full_file, std::string(1024, '\n'));
    for (const auto* script :
         {R"(exec "$0" --nonsense 2> /dev/full)", R"(ulimit -f 1; exec "$0" --nonsense 2>> "$1")"}) {
        process program("/bin/sh", {"-c", script, causeway_path, full_file});
        BOOST_TEST(program.wait() == 2, script);
    }
}

BOOST_DATA_TEST_CASE(wrong_usage_ends_with_2_and_one_line_that_names_the_option,
                     boost::unit_test::data::make(wrong_usage))
{
    process program(sample.program, sample.arguments);
    BOOST_TEST(program.wait() == 2);
    BOOST_TEST(program.standard_output() == "");
    BOOST_TEST_CONTEXT(program.standard_error())
    {
        BOOST_TEST(is_one_line(program.standard_error()));
        BOOST_TEST(program.standard_error().find(sample.named) != std::string::npos);
    }
}

// Where they listen

BOOST_DATA_TEST_CASE(a_place_that_cannot_be_had_ends_with_1_and_one_line_that_says_what_to_do,
                     boost::unit_test::data::make(impossible_places))
{
    process program(sample.program, sample.arguments);
    BOOST_TEST(program.wait() == 1);
    BOOST_TEST_CONTEXT(program.output())
    {
        BOOST_TEST(is_one_line(program.standard_error()));
        BOOST_TEST(program.standard_error().find(sample.named) != std::string::npos);
    }
}

BOOST_DATA_TEST_CASE(a_taken_port_ends_with_1_and_one_line_that_says_what_to_do,
                     boost::unit_test::data::make({false, true}))
{
    const listener other(0, sample ? listener::sharing::yes : listener::sharing::no);
    causeway_process causeway({"--listen=" + other.address(), "--upstream=127.0.0.1:1"});
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find(other.address()) != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("--listen") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("--share-port") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_user_who_cannot_join_with_share_port_is_told_why_and_not_to_use_it)
{
    const listener other;
    causeway_process causeway({"--listen=" + other.address(), "--share-port", "--upstream=127.0.0.1:1"});
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find("same user") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("--listen") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("--share-port") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_user_who_may_not_have_a_low_port_is_told_of_higher_ones,
                     *boost::unit_test::precondition(where_low_ports_can_be_denied))
{
    process causeway("/bin/sh", without_privileges(causeway_path, {"--listen=127.0.0.1:1", "--upstream=127.0.0.1:1"}));
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find("1024") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("CAP_NET_BIND_SERVICE") != std::string::npos);
    }
}

BOOST_DATA_TEST_CASE(with_too_few_open_files_it_says_how_many_it_needs_and_how_to_get_them,
                     boost::unit_test::data::make(words{"12", "16", "30"}))
{
    process causeway("/bin/sh", with_open_files(sample, in_front_of({"127.0.0.1:1"}, {"--threads=1"})));
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find("limit of open files is " + sample) != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("at least 39") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("ulimit -n") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("LimitNOFILE") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(with_just_enough_open_files_it_answers)
{
    code_server_process code_server(on_a_free_port);
    server_process causeway("/bin/sh", with_open_files("39", in_front_of({code_server.address()}, {"--threads=1"})));
    BOOST_TEST(get(causeway.port(), "404").body == body_for("404"));
}

BOOST_AUTO_TEST_CASE(a_user_who_gets_too_few_threads_is_told_of_fewer_and_of_the_limits,
                     *boost::unit_test::precondition(where_a_stack_can_be_too_large))
{
    process causeway("/bin/sh", with_stacks_that_are_too_large(in_front_of({"127.0.0.1:1"}, {"--threads=2"})));
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find("--threads=2") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("ulimit -u") != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("TasksMax") != std::string::npos);
    }
}

// Otherwise a socket would get the descriptor of the log, and the log would go to a client.
BOOST_DATA_TEST_CASE(a_standard_stream_that_is_closed_at_the_start_becomes_nobody_elses,
                     boost::unit_test::data::make(words{"0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"}))
{
    process causeway("/bin/sh", without_streams(sample, in_front_of({"127.0.0.1:1"}, {"--threads=1"})));
    const auto place = "/proc/" + std::to_string(causeway.id());
    wait_until([&] { return std::filesystem::equivalent(place + "/exe", causeway_path); });
    for (const std::string stream : {"0", "1", "2"})
        if (sample.find(stream) != std::string::npos)
            wait_until([&] {
                std::error_code closed;
                return std::filesystem::read_symlink(place + "/fd/" + stream, closed) == "/dev/null";
            });
}

BOOST_AUTO_TEST_CASE(a_second_causeway_joins_the_first_only_with_share_port)
{
    code_server_process code_server(on_a_free_port);
    const listener silent;
    causeway_process first(in_front_of({code_server.address()}));
    const auto place = "--listen=" + first.address();

    causeway_process refused({place, "--upstream=" + code_server.address()});
    BOOST_TEST(refused.wait() == 1);
    BOOST_TEST(refused.standard_error().find("--share-port") != std::string::npos);

    // Its answers differ, which shows which process has served a connection.
    causeway_process second({place, "--share-port", "--upstream=" + silent.address(), "--reply-timeout=1ms"});
    BOOST_TEST(second.port() == first.port());
    bool first_serves = false;
    bool second_serves = false;
    wait_until([&] {
        const auto status = get(first.port(), "404").status;
        first_serves |= status == 200;
        second_serves |= status == 504 || status == 503;
        return first_serves && second_serves;
    });

    first.signal(SIGTERM);
    BOOST_TEST(first.wait() == 0);
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(get(second.port(), "404").status != 200);
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_written_in_brackets, *boost::unit_test::precondition(with_ipv6))
{
    code_server_process code_server({"--listen=[::1]:0"});
    const auto upstream = "[::1]:" + std::to_string(code_server.port());
    causeway_process causeway({"--listen=[::1]:0", "--upstream=" + upstream});

    const auto place = "http://[::1]:" + std::to_string(causeway.port());
    BOOST_TEST(causeway.output().find(place) != std::string::npos);
    connection client(causeway.port(), "::1");
    BOOST_TEST(get(client, "404").body == body_for("404"));
}

BOOST_AUTO_TEST_CASE(a_host_may_be_a_name, *boost::unit_test::precondition(where_localhost_is_known))
{
    code_server_process code_server({"--listen=localhost:0"});
    const auto upstream = "localhost:" + std::to_string(code_server.port());
    causeway_process causeway({"--listen=localhost:0", "--upstream=" + upstream});

    const auto on_ipv6 = causeway.wait_for_line("listening on").find("[::1]") != std::string::npos;
    connection client(causeway.port(), on_ipv6 ? "::1" : "127.0.0.1");
    BOOST_TEST(get(client, "404").body == body_for("404"));
}

BOOST_AUTO_TEST_CASE(a_code_server_waits_for_an_address_that_is_in_use)
{
    const auto started = clock::now();
    listener other;
    code_server_process code_server({"--listen=" + other.address(), "--bind-retry=20ms"});
    const auto third = code_server.wait_for_line("in use", 3);
    BOOST_TEST(third.find(other.address()) != std::string::npos);
    BOOST_TEST((clock::now() - started >= 40ms));

    other.close();
    connection client(code_server.port());
    client.send("404\n");
    BOOST_TEST(client.receive_line().starts_with("Code 404: Not Found, "));
}

// How they stop

BOOST_DATA_TEST_CASE(a_signal_ends_an_idle_causeway_with_0, boost::unit_test::data::make({SIGTERM, SIGINT}))
{
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--threads=2"}));
    causeway.port();
    causeway.signal(sample);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_DATA_TEST_CASE(a_signal_ends_a_code_server_with_0, boost::unit_test::data::make({SIGTERM, SIGINT}))
{
    code_server_process code_server(on_a_free_port);
    connection client(code_server.port());
    client.send("404\n");
    BOOST_TEST(client.receive_line().starts_with("Code 404: "));

    code_server.signal(sample);
    BOOST_TEST(code_server.wait() == 0);
    BOOST_TEST(client.receive_rest() == "");
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_code_server_that_waits_for_its_address)
{
    const listener other;
    code_server_process code_server({"--listen=" + other.address(), "--bind-retry=1h"});
    code_server.wait_for_line("in use");
    code_server.signal(SIGTERM);
    BOOST_TEST(code_server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_request_under_way_is_answered_before_the_end)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h"}));
    auto upstream = backend.accept();
    connection idle(causeway.port());
    connection client(causeway.port());
    send_request(client, "404");
    BOOST_TEST(upstream.receive_line() == "404\n");

    causeway.signal(SIGTERM);
    BOOST_TEST(idle.receive_rest() == ""); // so the drain has begun
    BOOST_TEST(!accepts_connections(causeway.port()));
    idle.close();
    upstream.send("Code 404: at last\n");

    const auto answer = receive_answer(client);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"data":"Code 404: at last\n"})");
    BOOST_TEST(answer.head.find("\r\nConnection: close\r\n") != std::string::npos);
    BOOST_TEST(client.receive_rest() == "");
    client.close();
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(causeway.output().find("cut") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_in_good_order)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1", "--drain-timeout=1h"}));
    connection unused(causeway.port());
    connection used(causeway.port());
    BOOST_TEST(get(used, "404").status == 200); // so both have been accepted

    causeway.signal(SIGTERM);
    BOOST_TEST(unused.receive_rest() == ""); // throws when it is reset
    BOOST_TEST(used.receive_rest() == "");
    unused.close();
    used.close();
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(after_the_drain_timeout_it_ends_anyway_and_says_how_many_requests_it_cut)
{
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h", "--drain-timeout=200ms"}));
    auto upstream = backend.accept();
    parallel_clients clients(causeway.port(), 3);
    clients.send(words{"404", "500"});
    upstream.receive(8);

    const auto signalled = clock::now();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST((clock::now() - signalled >= 200ms));
    BOOST_TEST(number_before(" requests cut", causeway.wait_for_line("requests cut")) == 2U);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once)
{
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h", "--drain-timeout=1h"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    send_request(client, "404");
    upstream.receive_line();

    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping");
    causeway.signal(SIGINT);
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST(number_before(" requests cut", causeway.wait_for_line("requests cut")) == 1U);
    BOOST_TEST(client.receive_rest() == "");
}

// Towards the backend

BOOST_AUTO_TEST_CASE(nothing_reaches_the_upstream_but_codes)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    for (const auto* value : {"", "4", "40", "4040", "40%0A", "4%0D%0A", "%0A%0A%0A", "%00%00%00", "4 4", "40%C3%B6",
                              "404%0A500", "404&statusCode=500", "4+4", "../", "%34%30", "404%00", "%FF%FF%FF"}) {
        const auto answer = get(client, value);
        BOOST_TEST(answer.status == 400, value);
        if (answer.head.find("\r\nConnection: close\r\n") != std::string::npos)
            client = connection(causeway.port());
    }
    send_request(client, "%34%30%34");
    BOOST_TEST(upstream.receive_line() == "404\n");
    BOOST_TEST(!upstream.can_receive());
}

BOOST_AUTO_TEST_CASE(each_thread_has_its_own_connection_to_the_upstream)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=3", "--log-level=debug"}));
    causeway.wait_for_line("connected", 3);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(number_before(" connections", causeway.wait_for_line("replies, ")) == 3U);
}

BOOST_AUTO_TEST_CASE(a_connection_attempt_without_an_answer_is_given_up_after_two_seconds)
{
    listener far_away;
    far_away.ignore_clients();
    const auto started = clock::now();
    causeway_process causeway(in_front_of({far_away.address()}, {"--threads=1"}));
    causeway.wait_for_line("cannot connect: Connection timed out");
    BOOST_TEST((clock::now() - started >= 2s));
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_again_for_every_attempt,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    temporary_file hosts;
    hosts.write("127.0.0.1 backend.test\n");
    std::optional<code_server_process> code_server(on_a_free_port);
    const auto port = ":" + std::to_string(code_server->port());
    causeway_with_hosts causeway(hosts.path(), in_front_of({"backend.test" + port}, {"--threads=1"}));
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").body == body_for("404"));

    hosts.write("127.0.0.2 backend.test\n");
    code_server.emplace(words{"--listen=127.0.0.2" + port});
    BOOST_TEST(get(client, "500").body == body_for("500"));
}

BOOST_AUTO_TEST_CASE(of_several_addresses_the_one_that_worked_last_is_tried_first,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    listener silent;
    silent.ignore_clients();
    temporary_file hosts;
    hosts.write("127.0.0.1 backend.test\n127.0.0.5 backend.test\n");
    const auto port = ":" + std::to_string(silent.port());
    std::optional<code_server_process> code_server(words{"--listen=127.0.0.5" + port});
    code_server->port();
    causeway_with_hosts causeway(hosts.path(), in_front_of({"backend.test" + port}, {"--threads=1"}));
    causeway.wait_for_line("connected"); // after two wasted seconds at the first address
    connection client(causeway.port());
    BOOST_TEST(get(client, "200").body == body_for("200"));

    code_server.reset();
    code_server.emplace(words{"--listen=127.0.0.5" + port});
    BOOST_TEST(get(client, "404").body == body_for("404")); // not after another two seconds: it would be too late
}

BOOST_AUTO_TEST_CASE(of_several_addresses_one_that_accepts_and_does_not_answer_is_left_for_another,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    listener frozen; // the kernel accepts for it
    temporary_file hosts;
    hosts.write("127.0.0.1 backend.test\n127.0.0.5 backend.test\n");
    const auto port = ":" + std::to_string(frozen.port());
    code_server_process code_server(words{"--listen=127.0.0.5" + port});
    code_server.port();
    causeway_with_hosts causeway(hosts.path(),
                                 in_front_of({"backend.test" + port}, {"--threads=1", "--reply-timeout=250ms"}));
    causeway.wait_for_line("connected");
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").status == 504);
    causeway.wait_for_line("connected", 2);
    BOOST_TEST(get(client, "404").body == body_for("404"));
}

// A crash, for example, in the midst of its work.
BOOST_AUTO_TEST_CASE(of_several_addresses_one_that_refuses_connections_is_left_for_another,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    std::optional<code_server_process> first(on_a_free_port);
    const auto port = ":" + std::to_string(first->port());
    temporary_file hosts;
    hosts.write("127.0.0.1 backend.test\n127.0.0.5 backend.test\n");
    const code_server_process second(words{"--listen=127.0.0.5" + port});
    causeway_with_hosts causeway(hosts.path(), in_front_of({"backend.test" + port}, {"--threads=1"}));
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").body == body_for("404"));
    first.reset();
    BOOST_TEST(get(client, "404").body == body_for("404")); // within the reply timeout
}

BOOST_AUTO_TEST_CASE(of_several_addresses_a_silent_one_does_not_make_a_restart_longer_than_requests_can_wait,
                     *boost::unit_test::precondition(where_names_can_be_changed))
{
    listener silent;
    silent.ignore_clients();
    temporary_file hosts;
    hosts.write("127.0.0.5 backend.test\n127.0.0.1 backend.test\n");
    const auto port = ":" + std::to_string(silent.port());
    const words at_the_first{"--listen=127.0.0.5" + port};
    std::optional<code_server_process> code_server(at_the_first);
    code_server->port();
    causeway_with_hosts causeway(hosts.path(),
                                 in_front_of({"backend.test" + port}, {"--threads=1", "--log-level=trace"}));
    causeway.wait_for_line("connected"); // perhaps after two wasted seconds at the silent one
    connection client(causeway.port());
    BOOST_TEST(get(client, "404").body == body_for("404"));

    code_server.reset();
    code_server.emplace(at_the_first);
    causeway.wait_for_line("connected", 2);
    code_server->signal(SIGSTOP);
    client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");
    causeway.wait_for_line("wrote 4 bytes", 2);
    code_server.reset(); // without having answered on this connection
    code_server.emplace(at_the_first);
    BOOST_TEST(receive_answer(client).body == body_for("404"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test

#include "fixture.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/framework.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <stdexcept>

namespace causeway::guide {
namespace {

// Whether the kernel says that of the process: running, sleeping, stopped (proc(5)).
bool is(int process, const std::string& state)
{
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("State:"))
            return line.find(state) != std::string::npos;
    throw std::runtime_error("the process has no state: does it run?");
}

} // namespace

std::string program_under_test()
{
    const auto& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc != 2)
        throw std::runtime_error("say behind -- which program to check");
    return suite.argv[1];
}

std::vector<std::string> arguments_for(const backend& backend, std::chrono::milliseconds reply_timeout,
                                       std::size_t loops)
{
    const auto timeout = std::to_string(reply_timeout.count());
    if (program_under_test().ends_with("/causeway"))
        return {"--listen=127.0.0.1:0",
                "--upstream=127.0.0.1:" + std::to_string(backend.port()),
                "--reply-timeout=" + timeout + "ms",
                "--threads=" + std::to_string(loops),
                "--admin=off",
                "--upstream-window=" + std::to_string(window),
                "--max-pending=" + std::to_string(most_waiting)};
    return {"0", std::to_string(backend.port()), timeout, std::to_string(loops)};
}

step::step(const backend& backend, std::chrono::milliseconds reply_timeout, const std::string& program,
           std::size_t loops)
    : server_process(program, arguments_for(backend, reply_timeout, loops))
{
}

void step::freeze()
{
    wait_until([this] { return is(id(), "sleeping"); });
    signal(SIGSTOP);
    wait_until([this] { return is(id(), "stopped"); });
}

std::string reply_for(const std::string& code, const std::string& text) { return "Code " + code + ": " + text + "\n"; }

std::string data(const std::string& reply) { return boost::json::serialize(boost::json::object{{"data", reply}}); }

} // namespace causeway::guide

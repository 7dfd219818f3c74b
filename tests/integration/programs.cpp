// Both programs as a user starts them: command line, exit status, signals, and a backend that comes and goes.
#include "blocking.hpp"
#include "codes/catalogue.hpp"
#include "kit.hpp"
#include "process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <ostream>
#include <random>

namespace causeway::test {
namespace {

using words = std::vector<std::string>;

// Returns as soon as `condition` holds; for what makes no event that could be awaited.
void wait_until(const std::function<bool()>& condition)
{
    for (const auto deadline = clock::now() + patience; !condition(); std::this_thread::sleep_for(1ms))
        if (clock::now() > deadline)
            throw std::runtime_error("it did not come to pass in time");
}

// The arguments of a bridge on a free port in front of `upstreams`, and `more`.
words bridge_in_front_of(const words& upstreams, const words& more = {})
{
    words arguments{"--listen=127.0.0.1:0"};
    for (const auto& upstream : upstreams)
        arguments.push_back("--upstream=" + upstream);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

const words free_port{"--listen=127.0.0.1:0"};

// What the bridge makes of the reply to `code`.
std::string body_for(std::string_view code)
{
    std::string line;
    codes::append_reply(code, line);
    line.pop_back();
    return R"({"data":")" + line + R"(\n"})";
}

bool is_right(const http_answer& answer, std::string_view code)
{
    return answer.status == 200 && answer.body == body_for(code);
}

// So many different codes, some of them in the catalogue.
words some_codes(std::size_t count)
{
    constexpr std::string_view characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    words codes;
    for (const auto& entry : codes::catalogue())
        codes.emplace_back(entry.code);
    // All are different, because 61 is no divisor of anything that 62 and its powers consist of... see below.
    std::minstd_rand random;
    std::uniform_int_distribution<std::size_t> any(0, characters.size() - 1);
    while (codes.size() < count) {
        const std::string code{characters[any(random)], characters[any(random)], characters[any(random)]};
        if (std::ranges::find(codes, code) == codes.end())
            codes.push_back(code);
    }
    codes.resize(count);
    return codes;
}

// Keep-alive clients that ask for one code after the other, without a pause, until they are stopped.
class steady_load {
public:
    steady_load(std::uint16_t port, std::size_t clients)
    {
        for (std::size_t i = 0; i < clients; ++i)
            threads_.emplace_back([this, port](const std::stop_token& stopped) { ask(port, stopped); });
    }

    // Returns when as many answers more have come.
    void wait_for_answers(std::size_t count)
    {
        const auto enough = answers_ + count;
        wait_until([&] { return answers_ >= enough || wrong_ != 0; });
    }

    // Ends it and gives the first answer that was wrong, or an empty text.
    std::string stop()
    {
        threads_.clear();
        return first_wrong_;
    }

private:
    void ask(std::uint16_t port, const std::stop_token& stopped)
    {
        std::string code;
        try {
            connection client(port);
            const auto codes = some_codes(200);
            for (std::size_t i = 0; !stopped.stop_requested(); ++i) {
                code = codes[i % codes.size()];
                const auto answer = get(client, code);
                if (!is_right(answer, code))
                    throw std::runtime_error(answer.head + answer.body);
                ++answers_;
            }
        } catch (const std::exception& error) {
            if (wrong_++ == 0)
                first_wrong_ = code + ": " + error.what();
        }
    }

    std::atomic<std::size_t> answers_{0};
    std::atomic<std::size_t> wrong_{0};
    std::string first_wrong_; // read when the threads have ended
    std::vector<std::jthread> threads_;
};

// So many keep-alive clients, and one request on each of them at the same time.
class clients {
public:
    clients(std::uint16_t port, std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i)
            connections_.emplace_back(port);
    }

    void send(const words& codes)
    {
        for (std::size_t i = 0; i < codes.size(); ++i)
            send_request(connections_[i], codes[i]);
    }

    // The codes whose answers are not right.
    words receive_wrong(const words& codes)
    {
        words wrong;
        for (std::size_t i = 0; i < codes.size(); ++i)
            if (const auto answer = receive_answer(connections_[i]); !is_right(answer, codes[i]))
                wrong.push_back(codes[i] + ": " + answer.head + answer.body);
        return wrong;
    }

    http_answer receive(std::size_t client) { return receive_answer(connections_[client]); }

private:
    std::vector<connection> connections_;
};

// The number before `what` in the summary that the bridge logs at its end.
std::size_t number_before(std::string_view what, std::string_view summary)
{
    const auto end = summary.find(what);
    if (end == std::string_view::npos)
        throw std::runtime_error("no '" + std::string(what) + "' in '" + std::string(summary) + "'");
    const auto begin = summary.find_last_not_of("0123456789", end - 1) + 1;
    return std::stoul(std::string(summary.substr(begin, end - begin)));
}

// Something to start, and what its words on standard error must contain.
struct call {
    bool causeway;
    words arguments;
    std::string named;

    friend std::ostream& operator<<(std::ostream& output, const call& call)
    {
        output << (call.causeway ? "causeway" : "code-server");
        for (const auto& argument : call.arguments)
            output << ' ' << argument;
        return output;
    }
};

} // namespace
} // namespace causeway::test

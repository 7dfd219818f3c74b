#include "load.hpp"

#include "http/server.hpp"
#include "process.hpp"
#include "protocols/codes/catalogue.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace causeway::test {

words in_front_of(const words& upstreams, const words& more)
{
    auto arguments = on_a_free_port;
    for (const auto& upstream : upstreams)
        arguments.push_back("--upstream=" + upstream);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return without_admin_pages(std::move(arguments));
}

std::string reply_to(std::string_view code)
{
    std::string line;
    codes::append_reply(code, line);
    return line;
}

std::string body_for(std::string_view code)
{
    auto line = reply_to(code);
    line.pop_back();
    return R"({"data":")" + line + R"(\n"})";
}

bool is_right(const http_answer& answer, std::string_view code)
{
    return answer.status == 200 && answer.body == body_for(code);
}

words codes_of_all_kinds(std::size_t count)
{
    constexpr std::string_view characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::minstd_rand random;
    std::uniform_int_distribution<std::size_t> any(0, characters.size() - 1);
    words codes;
    for (const auto& entry : codes::catalogue())
        codes.emplace_back(entry.code);
    while (codes.size() < count)
        codes.push_back({characters[any(random)], characters[any(random)], characters[any(random)]});
    std::ranges::shuffle(codes, random);
    return codes;
}

parallel_clients::parallel_clients(std::uint16_t port, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        connections_.emplace_back(port);
}

void parallel_clients::send(std::span<const std::string> codes)
{
    for (std::size_t i = 0; i < codes.size(); ++i)
        send_request(connections_.at(i), codes[i]);
}

words parallel_clients::receive_wrong(std::span<const std::string> codes)
{
    words wrong;
    for (std::size_t i = 0; i < codes.size(); ++i)
        if (const auto answer = receive(i); !is_right(answer, codes[i]))
            wrong.push_back(codes[i] + ": " + answer.head + answer.body);
    return wrong;
}

std::optional<http_answer> keep_alive_client::get(std::string_view code)
{
    const auto before = std::exchange(began_, clock::now());
    send_request(connection_, code);
    const auto unused = clock::now() - before;
    try {
        return receive_answer(connection_);
    } catch (const no_answer&) {
        if (unused <= http::longest_sweep_interval)
            throw;
        return std::nullopt;
    }
}

std::string steady_load::only_right_answers(const answered& answered)
{
    return is_right(answered.answer, answered.code) ? "" : answered.answer.head + answered.answer.body;
}

steady_load::steady_load(const place& server, std::size_t clients, judge what_is_wrong, when_closed then)
    : what_is_wrong_(std::move(what_is_wrong))
    , then_(then)
{
    for (std::size_t i = 0; i < clients; ++i)
        clients_.emplace_back([this, server](const std::stop_token& stopped) { ask(server, stopped); });
}

void steady_load::ask(const place& server, const std::stop_token& stopped)
{
    answered answered;
    try {
        const auto codes = codes_of_all_kinds(200);
        std::optional<keep_alive_client> client;
        for (std::size_t i = 0; !stopped.stop_requested() && !wrong_; ++i) {
            answered.code = codes[i % codes.size()];
            const auto asked_at = clock::now();
            if (!client)
                client.emplace(server);
            if (auto answer = client->get(answered.code)) {
                answered.answer = *std::move(answer);
                answered.took = clock::now() - asked_at;
                answered.retries_of_tcp = client->retries();
                judge_and_count(answered);
                if (answered.answer.head.find("\r\nConnection: close\r\n") == std::string::npos)
                    continue;
            }
            if (!client->receive_rest().empty()) // throws when it is reset
                throw std::runtime_error("there is more after the last answer");
            if (then_ == when_closed::end)
                return;
            client.reset();
        }
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        if (!wrong_.exchange(true))
            first_wrong_ = answered.code + ": " + error.what();
    }
}

void steady_load::judge_and_count(const answered& answered)
{
    if (const auto wrong = what_is_wrong_(answered); !wrong.empty())
        throw std::runtime_error(wrong);
    const std::lock_guard lock(mutex_);
    ++answers_[0];
    ++answers_[answered.answer.status];
}

void steady_load::wait_for_answers(std::size_t count, int status)
{
    const auto enough = answers(status) + count;
    wait_until([&] { return answers(status) >= enough || wrong_; });
}

std::string steady_load::stop()
{
    clients_.clear();
    return first_wrong_;
}

std::string steady_load::wait()
{
    for (auto& client : clients_)
        client.join();
    return stop();
}

std::uint64_t steady_load::answers(int status) const
{
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(status);
    return found == answers_.end() ? 0 : found->second;
}

steady_load::judge right_or_refused_in_time(clock::duration reply_timeout,
                                            std::string (*right_body)(std::string_view code))
{
    return [=](const answered& answered) -> std::string {
        const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(answered.took).count();
        if (answered.took > reply_timeout + scheduling)
            return "late: " + std::to_string(milliseconds) + " ms";
        switch (answered.answer.status) {
        case 200:
            return answered.answer.body == right_body(answered.code) ? "" : "wrong: " + answered.answer.body;
        case 504:
            return answered.took < reply_timeout ? "504 after " + std::to_string(milliseconds) + " ms" : "";
        case 503:
            return "";
        default:
            return answered.answer.head;
        }
    };
}

std::uint64_t from_environment(const char* name, std::uint64_t by_default)
{
    const char* text = std::getenv(name); // NOLINT(concurrency-mt-unsafe): tests set no environment
    return text != nullptr ? std::stoull(text) : by_default;
}

} // namespace causeway::test

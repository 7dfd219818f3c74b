// HTTP in front of a server that explains words, with its own protocol: it receives lines with one word each, and
// answers each, in any order, with a line `WORD: EXPLANATION`.
//
//   dictionary HOST:PORT UPSTREAM-HOST:PORT
#include "http/json.hpp"
#include "http/server.hpp"
#include "net/host_port.hpp"
#include "net/rethrow.hpp"
#include "upstream/input_buffer.hpp"
#include "upstream/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <string>

using namespace causeway;
using namespace std::chrono_literals;
using boost::beast::http::status;

// [codec]
// What the bytes of one connection mean: where a reply ends, and which word it is for.
class codec final : public upstream::codec {
    std::span<char> space() override { return input_.space(); }
    void received(std::size_t count) override { input_.received(count); }

    upstream::any_event next() override
    {
        const auto length = input_.unread().find('\n') + 1; // 0 without a line feed
        if (length == 0 && input_.space().empty())
            return upstream::event::broken{"a line is too long"};
        if (length == 0)
            return upstream::event::incomplete{};
        const auto line = input_.take(length);
        const auto word = line.substr(0, line.find(':'));
        if (word.size() > upstream::key::longest)
            return upstream::event::unreadable{line, line.size(), "WORD: EXPLANATION"};
        return upstream::event::message{upstream::key(word), line};
    }

    upstream::event::unreadable unfinished() const override
    {
        return {input_.unread(), input_.unread().size(), "a line feed"};
    }

    upstream::input_buffer input_{64 * 1024};
};
// [/codec]

// [protocol]
// A word always has the same explanation, so requests for it can share their key, and the question may be written again
// when its connection is lost.
const upstream::protocol protocol{.make_codec = [] { return std::make_unique<codec>(); }, .shares_keys = true};
// [/protocol]

// [question]
upstream::question question_for(const std::string& word)
{
    return {.key = upstream::key(word), .bytes = word + '\n', .repeatable = true};
}
// [/question]

// [is_word]
// Only letters may pass to the upstream, so no request can smuggle in a line of its own.
bool is_word(const std::string& text)
{
    const auto is_letter = [](char byte) { return byte >= 'a' && byte <= 'z'; };
    return !text.empty() && text.size() <= upstream::key::longest && std::ranges::all_of(text, is_letter);
}
// [/is_word]

// [handler]
// GET /word
class explainer final : public http::handler {
public:
    explicit explainer(upstream::pool& pool)
        : pool_(pool)
    {
    }

private:
    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        const auto word = request.target.substr(1);
        if (!is_word(word))
            return http::refused(status::bad_request, "ask for a word of small letters, such as /causeway");
        return pool_.ask(question_for(word), deadline);
    }

    void respond(const http::request&, http::outcome&& reply, http::response& response) override
    {
        if (reply)
            http::append_json("explanation", *reply, response.body);
        else
            response = http::refused(status::bad_gateway, reply.error().message());
    }

    upstream::pool& pool_;
};
// [/handler]

// [serve]
// The pool outlives the server's requests, which may use it.
awaitable<> serve(http::server& server, upstream::pool& pool)
{
    pool.start();
    co_await server.run();
    pool.stop();
}
// [/serve]

int main(int argc, char* argv[])
{
    const auto place = net::parse_host_port(argc > 2 ? argv[1] : "");
    const auto backend = net::parse_host_port(argc > 2 ? argv[2] : "");
    if (!place || !backend)
        return 2;
    asio::io_context io(1);
    net::limit waiting(1000);
    upstream::pool pool(
        io, {.upstreams = {*backend}, .reply_timeout = 2s, .reconnect_max = 3s, .window = 100, .protocol = protocol},
        waiting);
    explainer explainer(pool);
    net::limit connections(1000);
    http::server server(net::listen(io, net::resolve_for_listening(io, *place), net::port_sharing::never), explainer,
                        {}, connections);
    asio::co_spawn(io, serve(server, pool), net::rethrow);

    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](error_code, int) { server.drain(); });
    spdlog::info("listening on {}", net::to_string(server.endpoint()));
    io.run();
}

// Step 1: callbacks by code. What waits for the reply to a code leaves a function that is called with it.
//
//   step_1 LISTEN-PORT BACKEND-PORT
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

// [names]
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;
// [/names]

// [protocol]
// The code that a client asks for.
std::optional<std::string> code_in(const std::string& target)
{
    static const std::regex form("/\\?statusCode=([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_match(target, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// The code that a reply is for: `Code 404: Not Found, …`, or `I dont know about code "xyz" …`.
std::optional<std::string> code_of(const std::string& reply)
{
    static const std::regex form("[Cc]ode \"?([0-9A-Za-z]{3})");
    std::smatch found;
    return std::regex_search(reply, found, form) ? std::optional(found[1].str()) : std::nullopt;
}

// An answer with a JSON object of one member.
http_response respond(const http_request& request, http::status status, std::string_view name, std::string_view value)
{
    http_response response(status, request.version());
    response.set(http::field::content_type, "application/json");
    response.keep_alive(request.keep_alive());
    response.body() = boost::json::serialize(boost::json::object{{name, value}});
    response.prepare_payload();
    return response;
}
// [/protocol]

// [emitter]
// Calls functions by the code that they wait for, as an EventEmitter of Node does by the name of an event.
class event_emitter {
public:
    using callback = std::function<void(const std::string& reply)>;

    // Leaves `listener` to be called with the next reply for `code`.
    void once(const std::string& code, callback listener) { listeners_[code].push_back(std::move(listener)); }

    // Calls all that wait for `code`, and forgets them.
    void emit(const std::string& code, const std::string& reply)
    {
        for (const auto& listener : std::exchange(listeners_[code], {}))
            listener(reply);
    }

private:
    std::map<std::string, std::vector<callback>> listeners_;
};
// [/emitter]

// [fetch]
// What a conversation with the backend needs until its last handler has run. Each handler shares it.
struct exchange {
    tcp::socket socket;
    std::string message;
    std::array<char, 4096> buffer = {};
};

// Connects to the backend, writes the code, reads what comes, and emits it.
void fetch(const asio::any_io_executor& executor, const tcp::endpoint& backend, const std::string& code,
           event_emitter& replies)
{
    auto with = std::make_shared<exchange>(exchange{tcp::socket(executor), code + '\n'});
    with->socket.async_connect(backend, [with, &replies](error_code not_connected) {
        if (not_connected)
            return;
        asio::async_write(with->socket, asio::buffer(with->message), [with, &replies](error_code not_written, auto) {
            if (not_written)
                return;
            with->socket.async_read_some(asio::buffer(with->buffer), [with, &replies](error_code not_read, auto count) {
                if (not_read)
                    return;
                const std::string reply(with->buffer.data(), count);
                if (const auto replied_to = code_of(reply))
                    replies.emit(*replied_to, reply);
            });
        });
    });
}
// [/fetch]

// [session]
// One client, as long as its connection lasts: until then it is always reading, so it also learns when that ends.
class session : public std::enable_shared_from_this<session> {
public:
    session(tcp::socket client, const tcp::endpoint& backend, event_emitter& replies)
        : client_(std::move(client))
        , backend_(backend)
        , replies_(replies)
    {
    }

    void read()
    {
        request_ = {}; // Beast adds to what is there
        http::async_read(client_, buffer_, request_, [self = shared_from_this()](error_code error, std::size_t) {
            if (error)
                return; // and with the last `self` goes the session
            self->ask(self->request_);
            self->read();
        });
    }

private:
    // [ask]
    void ask(const http_request& request)
    {
        const auto code = code_in(std::string(request.target()));
        if (!code)
            return answer(request, http::status::bad_request, "error", "statusCode must be three letters or digits");
        // Not with `self`: the emitter would keep it, with its socket, until a reply comes. Perhaps none does.
        replies_.once(*code,
                      [this, request](const std::string& reply) { answer(request, http::status::ok, "data", reply); });
        fetch(client_.get_executor(), backend_, *code, replies_);
    }
    // [/ask]

    void answer(const http_request& request, http::status status, std::string_view name, std::string_view value)
    {
        auto response = std::make_shared<http_response>(respond(request, status, name, value));
        http::async_write(client_, *response, [self = shared_from_this(), response](error_code error, std::size_t) {
            if (!response->keep_alive())
                self->client_.shutdown(tcp::socket::shutdown_both, error); // that ends the reading too
        });
    }

    tcp::socket client_;
    boost::beast::flat_buffer buffer_;
    http_request request_;
    const tcp::endpoint& backend_;
    event_emitter& replies_;
};
// [/session]

// [serve]
void serve(tcp::acceptor& acceptor, const tcp::endpoint& backend, event_emitter& replies)
{
    acceptor.async_accept([&](error_code error, tcp::socket client) {
        if (!error)
            std::make_shared<session>(std::move(client), backend, replies)->read();
        serve(acceptor, backend, replies);
    });
}
// [/serve]

tcp::endpoint on_this_machine(const std::string& port)
{
    return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))};
}

} // namespace

// [main]
int main(int argc, char* argv[])
{
    if (argc < 3) {
        std::cerr << "usage: " << argv[0] << " LISTEN-PORT BACKEND-PORT\n";
        return 2;
    }
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine(argv[1]));
    const auto backend = on_this_machine(argv[2]);
    event_emitter replies;
    std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    serve(acceptor, backend, replies);
    io.run();
}
// [/main]

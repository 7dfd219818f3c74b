#include "blocking.hpp"

#include "kit.hpp"
#include "tcp_segments.hpp"

#include <boost/algorithm/string/find.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace causeway::test {
namespace {

// The result of a system call that did not fail.
template <class Result>
Result checked(Result result, const char* what)
{
    if (result == -1)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

template <class Value>
void set_option(const descriptor& socket, int name, const Value& value)
{
    checked(setsockopt(socket.number(), SOL_SOCKET, name, &value, sizeof(value)), "setsockopt");
}

void limit_waiting(const descriptor& socket)
{
    const timeval limit{std::chrono::seconds(patience).count(), 0};
    set_option(socket, SO_RCVTIMEO, limit);
    set_option(socket, SO_SNDTIMEO, limit);
}

descriptor connect_to(std::uint16_t port, const std::string& address)
{
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    numeric.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &numeric, &found) != 0)
        throw std::runtime_error(address + " is not an address");
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> place(found, freeaddrinfo);

    descriptor socket(checked(::socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    limit_waiting(socket);
    if (connect(socket.number(), place->ai_addr, place->ai_addrlen) == -1) {
        const std::error_code reason(errno, std::generic_category());
        throw cannot_connect(reason, segments_sent_again(socket.number()));
    }
    return socket;
}

void send_all(int socket, std::string_view bytes)
{
    while (!bytes.empty())
        bytes.remove_prefix(
            static_cast<std::size_t>(checked(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL), "send")));
}

// What has arrived, or nothing when the other side has closed the connection.
std::string receive_from(int socket)
{
    std::array<char, 16 * 1024> buffer;
    const auto count = checked(recv(socket, buffer.data(), buffer.size(), 0), "recv");
    return {buffer.data(), static_cast<std::size_t>(count)};
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

descriptor listen_on(std::uint16_t port, bool shared)
{
    descriptor socket(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    limit_waiting(socket);
    set_option(socket, SO_REUSEADDR, int{1});
    if (shared)
        set_option(socket, SO_REUSEPORT, int{1});
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    checked(bind(socket.number(), generic(address), sizeof(address)), "bind");
    checked(listen(socket.number(), SOMAXCONN), "listen");
    return socket;
}

std::uint16_t port_of(const descriptor& socket)
{
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    checked(getsockname(socket.number(), generic(address), &size), "getsockname");
    return ntohs(address.sin_port);
}

bool is_readable(const descriptor& socket)
{
    pollfd looked_at{socket.number(), POLLIN, 0};
    return checked(poll(&looked_at, 1, 0), "poll") == 1;
}

// The number that follows `name` in `text`; a field's name is the same in any case (RFC 9110 §5.1).
std::size_t number_after(std::string_view name, std::string_view text)
{
    std::size_t number = 0;
    const auto place = boost::ifind_first(text, name);
    if (place.empty() || std::from_chars(place.end(), text.data() + text.size(), number).ec != std::errc{})
        throw std::runtime_error("no " + std::string(name) + "in '" + std::string(text) + "'");
    return number;
}

} // namespace

void descriptor::close() noexcept
{
    if (number_ != -1)
        ::close(std::exchange(number_, -1));
}

connection::connection(std::uint16_t port, const std::string& address)
    : socket_(connect_to(port, address))
    , retries_(segments_sent_again(socket_.number()))
{
}

connection::connection(descriptor connected)
    : socket_(std::move(connected))
    , retries_(segments_sent_again(socket_.number()))
{
    limit_waiting(socket_);
}

connection::connection(const place& server)
    : connection(server.port)
{
    if (server.tls)
        tls_ = std::make_unique<tls_session>(
            server.tls, [socket = socket_.number()](std::string_view bytes) { send_all(socket, bytes); },
            [socket = socket_.number()] { return receive_from(socket); });
}

void connection::send(std::string_view bytes)
{
    if (tls_)
        tls_->send(bytes);
    else
        send_all(socket_.number(), bytes);
}

bool connection::can_receive() const { return !input_.empty() || is_readable(socket_); }

// False when the other side has closed the connection.
bool connection::receive_some()
{
    const auto came = tls_ ? tls_->receive() : receive_from(socket_.number());
    input_ += came;
    return !came.empty();
}

std::string connection::take(std::size_t count)
{
    const auto taken = input_.substr(0, count);
    input_.erase(0, count);
    return taken;
}

std::string connection::receive_line()
{
    auto end = input_.find('\n');
    while (end == std::string::npos && receive_some())
        end = input_.find('\n');
    return take(end == std::string::npos ? end : end + 1);
}

std::string connection::receive(std::size_t count)
{
    while (input_.size() < count && receive_some())
        ;
    return take(count);
}

std::string connection::receive_rest() { return receive(std::string::npos); }

bool accepts_connections(std::uint16_t port)
{
    try {
        connect_to(port, "127.0.0.1");
        return true;
    } catch (const std::system_error& error) {
        if (error.code() == std::errc::connection_refused || error.code() == std::errc::connection_reset)
            return false;
        throw;
    }
}

bool knows_localhost()
{
    addrinfo* addresses = nullptr;
    if (::getaddrinfo("localhost", nullptr, nullptr, &addresses) != 0)
        return false;
    ::freeaddrinfo(addresses);
    return true;
}

bool has_ipv6()
{
    try {
        connect_to(1, "::1");
        return true;
    } catch (const std::system_error& error) {
        return error.code() == std::errc::connection_refused;
    }
}

listener::listener(std::uint16_t port, sharing with)
    : socket_(listen_on(port, with == sharing::yes))
    , port_(port_of(socket_))
{
}

connection listener::accept()
{
    return connection(descriptor(checked(accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC), "accept")));
}

bool listener::can_accept() const { return is_readable(socket_); }

void listener::ignore_clients()
{
    checked(::listen(socket_.number(), 0), "listen");
    fills_the_queue_.emplace(port_); // to a full queue, segments with SYN are dropped
}

void send_request(connection& connection, std::string_view code)
{
    connection.send("GET /?statusCode=" + std::string(code) + " HTTP/1.1\r\nHost: test\r\n\r\n");
}

http_answer receive_answer(connection& connection)
{
    http_answer answer;
    for (std::string line; line != "\r\n"; answer.head += line)
        if (line = connection.receive_line(); line.empty()) {
            if (answer.head.empty())
                throw no_answer();
            throw std::runtime_error("the connection was closed in the middle of a head");
        }
    answer.status = static_cast<int>(number_after("HTTP/1.1 ", answer.head));
    const auto length = number_after("Content-Length: ", answer.head);
    answer.body = connection.receive(length);
    if (answer.body.size() != length)
        throw std::runtime_error("the connection was closed in the middle of an answer");
    return answer;
}

http_answer get(connection& connection, std::string_view code)
{
    send_request(connection, code);
    return receive_answer(connection);
}

http_answer get(const place& server, std::string_view code)
{
    connection connection(server);
    return get(connection, code);
}

} // namespace causeway::test

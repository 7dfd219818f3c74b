// The floor: the least that could work. One thread, one epoll, one connection to the backend; no parser, no timers, no
// limits, nothing checked that a load generator does right. Nobody should use it; what it costs is what the system
// calls cost, and every other program can be held against it. Its answers are byte for byte those of Causeway.
//
//   floor LISTEN_PORT BACKEND_PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

int checked(int result, const char* what)
{
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

sockaddr_in loopback(const char* port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
    return address;
}

void send_at_once(int socket)
{
    const int on = 1;
    checked(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

int listen_on(const char* port)
{
    const int socket = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    const int on = 1;
    checked(setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const auto address = loopback(port);
    checked(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(listen(socket, SOMAXCONN), "listen");
    return socket;
}

int connect_to(const char* port)
{
    const int socket = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    const auto address = loopback(port);
    checked(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    send_at_once(socket);
    return socket;
}

std::string date_line()
{
    const auto now = std::time(nullptr);
    std::array<char, 64> line{};
    return {line.data(), std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", std::gmtime(&now))};
}

} // namespace

int main(int argc, char* argv[])
{
    if (argc != 3)
        return 2;
    const int epoll = checked(epoll_create1(0), "epoll_create1");
    const auto watch = [&](int socket) {
        epoll_event event{EPOLLIN, {.fd = socket}};
        checked(epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
    };
    const int backend = connect_to(argv[2]);
    const int listener = listen_on(argv[1]);
    watch(backend);
    watch(listener);

    std::unordered_map<std::string, std::deque<int>> waiting; // clients by code, the longest waiting first
    std::string to_backend;
    std::string replies;
    std::string answer;
    std::array<epoll_event, 256> events{};
    std::array<char, 64 * 1024> input{};
    for (;;) {
        const int count = checked(epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1), "epoll_wait");
        const auto date = date_line();
        for (int i = 0; i < count; ++i) {
            const int socket = events[static_cast<std::size_t>(i)].data.fd;
            if (socket == listener) {
                const int client = checked(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK), "accept4");
                send_at_once(client);
                watch(client);
                continue;
            }
            const auto size = recv(socket, input.data(), input.size(), 0);
            if (size <= 0) {
                close(socket);
                continue;
            }
            const std::string_view bytes(input.data(), static_cast<std::size_t>(size));
            if (socket != backend) {
                const auto code = bytes.substr(bytes.find("statusCode=") + 11, 3);
                to_backend.append(code).append("\n");
                waiting[std::string(code)].push_back(socket);
                continue;
            }
            replies.append(bytes);
            std::size_t begin = 0;
            for (auto end = replies.find('\n'); end != replies.npos; end = replies.find('\n', begin)) {
                const std::string_view line(replies.data() + begin, end - begin);
                begin = end + 1;
                auto& clients = waiting[std::string(line.substr(5, 3))];
                answer.assign("HTTP/1.1 200 OK\r\n").append(date);
                answer.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(line.size() + 13));
                answer.append("\r\n\r\n{\"data\":\"").append(line).append("\\n\"}");
                send(clients.front(), answer.data(), answer.size(), MSG_NOSIGNAL);
                clients.pop_front();
            }
            replies.erase(0, begin);
        }
        if (!to_backend.empty()) {
            send(backend, to_backend.data(), to_backend.size(), MSG_NOSIGNAL);
            to_backend.clear();
        }
    }
}

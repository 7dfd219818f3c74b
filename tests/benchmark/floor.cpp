// The floor: the least that a bridge on this machine could cost. One epoll loop, one upstream connection, no library.
// Usage: floor PORT BACKEND_PORT [PROCESSES]
//
// With more than one process, each has such a loop, its own connection to the backend and its share of the clients.
//
// It is not a bridge for real use. It assumes that a request arrives complete and is well formed, that a reply needs no
// escapes, that every send is accepted in full, that the backend never goes away, and that no client disconnects while
// it waits. It has no time limits. It does what any bridge must do: find the code, pass it on, and give each reply to
// the client that has waited longest.
#include "loopback.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

void watch(int epoll, int fd)
{
    do_not_delay(fd);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

std::uint32_t key(const char* code)
{
    std::uint32_t key = 0;
    std::memcpy(&key, code, 3);
    return key;
}

std::string date_field()
{
    const std::time_t now = std::time(nullptr);
    char text[64];
    std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", std::gmtime(&now));
    return text;
}

std::string outbox;                                         // codes for the backend, collected in one round
std::string inbox;                                          // what was received from it, up to an incomplete line
std::unordered_map<std::uint32_t, std::deque<int>> waiting; // clients by code, longest-waiting first
std::array<char, 64 * 1024> buffer;

void read_request(int client)
{
    const ssize_t count = recv(client, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
        close(client);
        return;
    }
    const std::string_view request(buffer.data(), static_cast<std::size_t>(count));
    constexpr std::string_view name = "statusCode=";
    const auto at = request.find(name);
    if (at == request.npos || at + name.size() + 3 > request.size()) {
        close(client);
        return;
    }
    const std::string_view code = request.substr(at + name.size(), 3);
    outbox.append(code) += '\n';
    waiting[key(code.data())].push_back(client);
}

// `reply` is one line without its end: "Code 404: ..."
void answer(std::string_view reply, const std::string& date)
{
    constexpr std::size_t start_of_code = 5;
    if (reply.size() < start_of_code + 3)
        return;
    auto& clients = waiting[key(reply.data() + start_of_code)];
    if (clients.empty())
        return;
    static std::string response;
    response = "HTTP/1.1 200 OK\r\n";
    response += date;
    response += "Content-Type: application/json\r\nContent-Length: ";
    response += std::to_string(reply.size() + std::string_view(R"({"data":"\n"})").size());
    response += "\r\n\r\n";
    response.append(R"({"data":")").append(reply).append(R"(\n"})");
    send(clients.front(), response.data(), response.size(), MSG_NOSIGNAL);
    clients.pop_front();
}

void read_replies(int backend, const std::string& date)
{
    const ssize_t count = recv(backend, buffer.data(), buffer.size(), 0);
    if (count <= 0) {
        std::fputs("floor: the backend went away\n", stderr);
        std::exit(1);
    }
    inbox.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t start = 0;
    for (auto end = inbox.find('\n'); end != inbox.npos; end = inbox.find('\n', start)) {
        answer(std::string_view(inbox).substr(start, end - start), date);
        start = end + 1;
    }
    inbox.erase(0, start);
}

// Returns in all of them. The new ones end with the first.
void become(int processes)
{
    for (int other = 1; other < processes; ++other) {
        if (check(fork(), "fork") == 0) {
            check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
            return;
        }
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3 && argc != 4) {
        std::fputs("usage: floor PORT BACKEND_PORT [PROCESSES]\n", stderr);
        return 2;
    }
    if (argc == 4)
        become(std::atoi(argv[3]));
    const auto here = loopback(argv[1]);
    const int on = 1;

    const int backend = connect_to(argv[2]);
    const int listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    check(bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    check(listen(listener, 4096), "listen");

    const int epoll = check(epoll_create1(0), "epoll_create1");
    watch(epoll, backend);
    watch(epoll, listener);
    std::time_t second = 0;
    std::string date;
    std::array<epoll_event, 1024> events;
    for (;;) {
        const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        if (std::time(nullptr) != second) {
            second = std::time(nullptr);
            date = date_field();
        }
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener)
                watch(epoll, check(accept(listener, nullptr, nullptr), "accept"));
            else if (fd == backend)
                read_replies(backend, date);
            else
                read_request(fd);
        }
        if (!outbox.empty()) {
            send(backend, outbox.data(), outbox.size(), MSG_NOSIGNAL);
            outbox.clear();
        }
    }
}

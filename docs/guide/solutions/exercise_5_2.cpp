// Exercise 5.2: without a buffer, a notice that comes while the writer is busy is lost.
#include "../asio.hpp"

#include <cstddef>
#include <string>
#include <utility>

using namespace guide;

namespace {

// [writer]
// To write takes until `pause` is over.
awaitable<void> write(std::string& outbox, wakeup& has_requests, asio::steady_timer& pause, std::string& written)
{
    for (;;) {
        const auto [cancelled] = co_await has_requests.async_receive(as_result);
        if (cancelled)
            co_return;
        const auto wire = std::exchange(outbox, {});
        co_await pause.async_wait(as_result);
        written += wire;
    }
}
// [/writer]

// What is written of two codes, when the second comes while the first is being written.
std::string written_of_two(std::size_t buffer)
{
    asio::io_context io(1);
    std::string outbox;
    std::string written;
    wakeup has_requests(io, buffer);
    asio::steady_timer pause(io, 1h);
    asio::co_spawn(io, write(outbox, has_requests, pause, written), asio::detached);
    const auto ask = [&](const std::string& code) {
        outbox += code;
        has_requests.try_send(error_code());
        io.restart();
        io.poll();
    };
    io.poll(); // the writer sleeps
    ask("404\n");
    ask("500\n"); // it is writing
    for (int writes = 0; writes != 2; ++writes) {
        pause.cancel(); // the write is over
        io.restart();
        io.poll();
    }
    has_requests.close();
    io.restart();
    io.run();
    return written;
}

} // namespace

int main() { return written_of_two(0) == "404\n" && written_of_two(1) == "404\n500\n" ? 0 : 1; }

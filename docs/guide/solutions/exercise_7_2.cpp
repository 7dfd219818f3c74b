// Exercise 7.2: clients up to a bound; further ones wait in the listen queue until one leaves.
#include "../until_first.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <list>
#include <utility>

using namespace guide;

namespace {

// [limit]
class limit {
public:
    explicit limit(std::size_t bound)
        : bound_(bound)
    {
    }

    // One place, given back when this object is destroyed. False when there was none left.
    class place {
    public:
        explicit place(limit* owner)
            : owner_(owner)
        {
        }
        place(place&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr))
        {
        }
        ~place()
        {
            if (owner_ != nullptr)
                --owner_->taken_;
        }
        explicit operator bool() const { return owner_ != nullptr; }

    private:
        limit* owner_;
    };

    place try_take()
    {
        if (taken_ == bound_)
            return place(nullptr);
        ++taken_;
        return place(this);
    }

    std::size_t taken() const { return taken_; }

private:
    std::size_t bound_;
    std::size_t taken_ = 0;
};
// [/limit]

// [session]
// The place is a parameter of the coroutine: so it is given back with the last thing that this client needs.
awaitable<void> session(tcp::socket client, limit::place /*place*/)
{
    std::array<char, 1024> bytes;
    error_code left;
    while (!left) {
        const auto [error, count] = co_await client.async_read_some(asio::buffer(bytes), as_result);
        left = error;
    }
}
// [/session]

// [serve]
// The place is taken before anybody is accepted: who has none is left where the kernel keeps him.
awaitable<void> serve(tcp::acceptor& acceptor, limit& clients, wakeup& client_left)
{
    while (acceptor.is_open()) {
        auto place = clients.try_take();
        if (!place) {
            co_await client_left.async_receive(as_result);
            continue;
        }
        auto [error, client] = co_await acceptor.async_accept(as_result);
        if (!error)
            asio::co_spawn(acceptor.get_executor(), session(std::move(client), std::move(place)),
                           [&client_left](std::exception_ptr thrown) {
                               client_left.try_send(error_code());
                               rethrow(thrown);
                           });
    }
}
// [/serve]

} // namespace

int main()
{
    asio::io_context io(1);
    tcp::acceptor acceptor(io, on_this_machine("0"));
    limit bound(2);
    wakeup client_left(io, 1);
    asio::co_spawn(io, serve(acceptor, bound, client_left), rethrow);
    const auto turn = [&io] {
        io.restart();
        io.run_for(50ms);
    };

    std::list<tcp::socket> clients;
    for (int client = 0; client != 3; ++client)
        clients.emplace_back(io).connect(acceptor.local_endpoint()); // the kernel accepts all
    turn();
    const bool two_are_served = bound.taken() == 2;
    clients.pop_front();
    turn();
    const bool the_third_is_too = bound.taken() == 2;
    clients.pop_front();
    turn();
    const bool it_was_the_last = bound.taken() == 2; // the third, and the place of who comes next
    clients.clear();
    acceptor.close();
    client_left.try_send(error_code());
    turn();
    return two_are_served && the_third_is_too && it_was_the_last && bound.taken() == 0 ? 0 : 1;
}

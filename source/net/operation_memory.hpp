// Memory for an asynchronous operation, kept by whoever waits for it.
#pragma once

#include "net/asio.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>

#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace causeway::net {

/// Room for one operation of Asio's at a time, so that it takes nothing from the heap. One that is too large, or comes
/// while there is another, does. It outlives the operations, and may be in the coroutine that awaits them, however that
/// ends: an operation gives its room back before it resumes the coroutine, and before it destroys it with the event
/// loop. Belongs to one event loop; every call is made on its thread.
class operation_memory {
public:
    operation_memory() = default;
    operation_memory(const operation_memory&) = delete;
    operation_memory& operator=(const operation_memory&) = delete;

    /// Throws `std::bad_alloc` when the heap is needed and has none.
    void* allocate(std::size_t size) { return taken_ || size > room_.size() ? ::operator new(size) : take(); }

    /// `place` is from `allocate`.
    void deallocate(void* place) noexcept
    {
        if (place == room_.data())
            taken_ = false;
        else
            ::operator delete(place);
    }

private:
    void* take() noexcept
    {
        taken_ = true;
        return room_.data();
    }

    // A read from a socket takes most of what is in such memory here: 136 bytes.
    alignas(std::max_align_t) std::array<std::byte, 143> room_;
    bool taken_ = false;
};

/// What Asio wants for it: an allocator in `memory`, which outlives it.
template <class T>
class operation_allocator {
public:
    using value_type = T;

    explicit operation_allocator(operation_memory& memory) noexcept
        : memory_(&memory)
    {
    }

    template <class U>
    operation_allocator(const operation_allocator<U>& other) noexcept
        : memory_(other.memory_)
    {
    }

    T* allocate(std::size_t count)
    {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        return static_cast<T*>(memory_->allocate(count * sizeof(T)));
    }

    void deallocate(T* place, std::size_t /*count*/) noexcept { memory_->deallocate(place); }

    friend bool operator==(const operation_allocator&, const operation_allocator&) = default;

private:
    template <class U>
    friend class operation_allocator;

    operation_memory* memory_;
};

/// Completion token: as `asio::deferred`, and the operation is in `memory`. Asio's own `bind_allocator` cannot be bound
/// to `deferred` in Boost 1.81.
class deferred_in {
public:
    explicit deferred_in(operation_memory& memory) noexcept
        : memory_(&memory)
    {
    }

    template <class Handler>
    auto bind(Handler&& handler) const
    {
        return asio::bind_allocator(operation_allocator<void*>(*memory_), std::forward<Handler>(handler));
    }

private:
    operation_memory* memory_;
};

} // namespace causeway::net

template <class Signature>
struct boost::asio::async_result<causeway::net::deferred_in, Signature> {
    template <class Initiation, class... Arguments>
    static auto initiate(Initiation&& initiation, causeway::net::deferred_in token, Arguments&&... arguments)
    {
        return async_initiate<const deferred_t&, Signature>(
            [initiation = std::forward<Initiation>(initiation), token](auto&& handler, auto&&... rest) mutable {
                std::move(initiation)(token.bind(std::forward<decltype(handler)>(handler)),
                                      std::forward<decltype(rest)>(rest)...);
            },
            deferred, std::forward<Arguments>(arguments)...);
    }
};

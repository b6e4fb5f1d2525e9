/* SPDX-License-Identifier: MIT */
/**
 * DOC: exchanges
 *
 * With a memory operand they are atomic towards other processors if LOCK says so, XCHG always; except
 * on an operand in two cache lines or of a device.
 */
#include "vmm/accel/soft/cpu/alu.h"
#include "vmm/accel/soft/cpu/exec.h"

#define XCHG(bits)                                                                                        \
	static void xchg_##bits(struct cpu *c, const struct insn *i)                                      \
	{                                                                                                 \
		uint##bits##_t v = reg_get##bits(c, i->reg_off);                                          \
		struct rmw m;                                                                             \
		if (!i->is_mem) {                                                                         \
			uint##bits##_t w = reg_get##bits(c, i->rm_off);                                   \
			reg_set##bits(c, i->reg_off, w);                                                  \
			reg_set##bits(c, i->rm_off, v);                                                   \
			return;                                                                           \
		}                                                                                         \
		rmw_begin_atomic(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m);        \
		v = __atomic_exchange_n((uint##bits##_t *) m.p, v, __ATOMIC_SEQ_CST);                     \
		rmw_end(c, (bits) / 8, &m);                                                               \
		reg_set##bits(c, i->reg_off, v);                                                          \
	}

#define XADD(bits)                                                                                        \
	static void xadd_##bits(struct cpu *c, const struct insn *i)                                      \
	{                                                                                                 \
		uint##bits##_t v = reg_get##bits(c, i->reg_off), old;                                     \
		struct rmw m;                                                                             \
		if (!i->is_mem) {                                                                         \
			old = reg_get##bits(c, i->rm_off);                                                \
			v = alu_add_##bits(c, old, v);                                                    \
			reg_set##bits(c, i->reg_off, old);                                                \
			reg_set##bits(c, i->rm_off, v);                                                   \
			return;                                                                           \
		}                                                                                         \
		rmw_begin_atomic(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m);        \
		old = __atomic_fetch_add((uint##bits##_t *) m.p, v, __ATOMIC_SEQ_CST);                    \
		rmw_end(c, (bits) / 8, &m);                                                               \
		(void) alu_add_##bits(c, old, v);                                                         \
		reg_set##bits(c, i->reg_off, old);                                                        \
	}

/* A register that does not change keeps its upper half, as on processors of Intel. */
#define CMPXCHG(bits)                                                                                     \
	static void cmpxchg_##bits(struct cpu *c, const struct insn *i)                                   \
	{                                                                                                 \
		uint##bits##_t a = (uint##bits##_t) c->reg[REG_RAX], v = reg_get##bits(c, i->reg_off), old = a; \
		bool same;                                                                                \
		struct rmw m;                                                                             \
		if (i->is_mem) {                                                                          \
			rmw_begin_atomic(c, mem_operand(c, i, (bits) / 8, MEM_READ | MEM_WRITE), (bits) / 8, &m); \
			same = __atomic_compare_exchange_n((uint##bits##_t *) m.p, &old, v, false,        \
							   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);           \
			rmw_end(c, (bits) / 8, &m);                                                       \
		} else {                                                                                  \
			old = reg_get##bits(c, i->rm_off);                                                \
			same = old == a;                                                                  \
			if (same)                                                                         \
				reg_set##bits(c, i->rm_off, v);                                           \
		}                                                                                         \
		(void) alu_cmp_##bits(c, a, old);                                                         \
		if (!same)                                                                                \
			reg_set##bits(c, REG_RAX * 8, old);                                               \
	}

#define ALL(make) make(8) make(16) make(32) make(64)

ALL(XCHG)
ALL(XADD)
ALL(CMPXCHG)

static void cmpxchg8b(struct cpu *c, const struct insn *i)
{
	uint64_t a = (uint32_t) c->reg[REG_RAX] | c->reg[REG_RDX] << 32;
	uint64_t v = (uint32_t) c->reg[REG_RBX] | c->reg[REG_RCX] << 32;
	bool same;
	struct rmw m;

	rmw_begin_atomic(c, mem_operand(c, i, 8, MEM_READ | MEM_WRITE), 8, &m);
	same = __atomic_compare_exchange_n((uint64_t *) m.p, &a, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	rmw_end(c, 8, &m);
	c->status = (c->status & ~FL_ZF) | (same ? FL_ZF : 0);
	if (!same) {
		c->reg[REG_RAX] = (uint32_t) a;
		c->reg[REG_RDX] = a >> 32;
	}
}

static void cmpxchg16b(struct cpu *c, const struct insn *i)
{
	uint64_t lin = mem_operand(c, i, 16, MEM_READ | MEM_WRITE), a = c->reg[REG_RAX], d = c->reg[REG_RDX];
	bool same;
	struct rmw m;

	if (lin & 15)
		cpu_raise_code(c, EXC_GP, 0);
	rmw_begin_atomic(c, lin, 16, &m);
	__asm__ volatile("lock cmpxchg16b %[m]\n\tsete %[same]"
			 : [same] "=q"(same), "+a"(a), "+d"(d), [m] "+m"(*(unsigned __int128 *) m.p)
			 : "b"(c->reg[REG_RBX]), "c"(c->reg[REG_RCX])
			 : "cc", "memory");
	rmw_end(c, 16, &m);
	c->status = (c->status & ~FL_ZF) | (same ? FL_ZF : 0);
	if (!same) {
		c->reg[REG_RAX] = a;
		c->reg[REG_RDX] = d;
	}
}

static void xchg_rax(struct cpu *c, const struct insn *i)
{
	uint64_t a = reg_get(c, REG_RAX, i->size), b = reg_get(c, i->rm, i->size);

	reg_set(c, REG_RAX, i->size, b);
	reg_set(c, i->rm, i->size, a);
}

static void nop(struct cpu *c, const struct insn *i)
{
	(void) c;
	(void) i;
}

#define ROW(name) { name##_8, name##_16, name##_32, name##_64 }

static cpu_exec_fn *const xchg[4] = ROW(xchg), *const xadd[4] = ROW(xadd), *const cmpxchg[4] = ROW(cmpxchg);

cpu_exec_fn *atomic_bind(const struct insn *i)
{
	unsigned op = i->opcode, size = size_index(i->size);
	bool lock = i->prefix & PFX_LOCK;
	cpu_exec_fn *f = NULL;

	if (i->map == MAP_1BYTE && (op == 0x86 || op == 0x87))
		f = xchg[size];
	else if (i->map == MAP_0F && (op == 0xC0 || op == 0xC1))
		f = xadd[size];
	else if (i->map == MAP_0F && (op == 0xB0 || op == 0xB1))
		f = cmpxchg[size];
	else if (i->map == MAP_0F && op == 0xC7 && (i->modrm >> 3 & 7) == 1 && i->is_mem)
		f = i->size == 8 ? cmpxchg16b : cmpxchg8b;
	if (f != NULL)
		return lock && !i->is_mem ? cpu_undefined : f;
	if (i->map == MAP_1BYTE && (op & 0xF8) == 0x90)
		return lock ? cpu_undefined : op == 0x90 && (i->rm == 0 || i->rep == 0xF3) ? nop : xchg_rax;
	return NULL;
}

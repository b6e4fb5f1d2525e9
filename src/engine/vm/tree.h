/* SPDX-License-Identifier: MIT */
#pragma once

struct engine;
struct err;
struct oci_spec;

/** vm_tree_new() - an empty root directory, for what is mounted alone; a detached mount; -errno with a message */
int vm_tree_new(struct err *err);

/**
 * vm_tree_attach() - put the root file system with all that is mounted in it from the host together
 * Nobody on this host can open a device there: so the guest may make nodes of its own.
 * @root: detached mount of the root file system; it covers "/" of this process' mount namespace, which
 *        changes nothing for the process until vm_tree_enter()
 * Context: a mount namespace of its own.
 * Return: 0; -errno with a message.
 */
int vm_tree_attach(const struct oci_spec *spec, int root, struct err *err);

/**
 * vm_tree_layer() - likewise, replace the descriptor of a directory by that of a mount without devices
 * Context: the mount namespace that the directory was opened in.
 * Return: 0; -errno with a message.
 */
int vm_tree_layer(int *dir, struct err *err);

/** vm_tree_show_copier() - put `cleave-copy` into the tree, after vm_tree_attach(); 0 or -errno with a message */
int vm_tree_show_copier(int root, struct err *err);

/** vm_tree_enter() - make it this process' root directory; 0 or -errno with a message */
int vm_tree_enter(int root, struct err *err);
